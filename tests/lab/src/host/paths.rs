//! A practice host is a folder and not a chroot: two absolute paths are mapped at its border.
//!
//! What goes in (the command, the script on standard input) is mapped into the folder; what comes
//! out (standard output and error) is mapped back. Inside, programs see the folder's real paths.

/// The absolute paths that lie in a host's folder.
const MAPPED: [&str; 2] = ["/usr/local/bin/", "/home/centos"];

/// Maps the host's absolute paths into its folder; what is already mapped stays.
pub(crate) fn mapped(text: &str, folder: &str) -> String {
    MAPPED.iter().fold(text.to_owned(), |text, path| {
        let mut out = String::with_capacity(text.len() + 64);
        let mut rest = text.as_str();
        while let Some(at) = rest.find(path) {
            out += &rest[..at];
            let before = out.chars().next_back();
            let starts = before.is_none_or(|c| !c.is_alphanumeric() && !"_-./".contains(c));
            if starts {
                out += folder;
            }
            out += path;
            rest = &rest[at + path.len()..];
        }
        out + rest
    })
}

/// The opposite: what a person on the host would see.
pub(crate) fn unmapped(text: &str, folder: &str) -> String {
    MAPPED.iter().fold(text.to_owned(), |text, path| text.replace(&format!("{folder}{path}"), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_absolute_paths_are_mapped() {
        let mapped = |text| mapped(text, "/d/h");
        assert_eq!(
            mapped("cd /home/centos && /usr/local/bin/x"),
            "cd /d/h/home/centos && /d/h/usr/local/bin/x"
        );
        assert_eq!(mapped("'/home/centos/.env'"), "'/d/h/home/centos/.env'");
        assert_eq!(
            mapped("/d/h/home/centos /mnt/home/centos"),
            "/d/h/home/centos /mnt/home/centos"
        );
        assert_eq!(unmapped(&mapped("/home/centos"), "/d/h"), "/home/centos");
    }
}
