//! Properties of the source text itself: layers, sizes, first lines, words.

use std::fs;
use std::path::{Path, PathBuf};

/// Bottom first. A module names modules of a lower row only; one row does not know itself.
const LAYERS: &[&[&str]] = &[
    &["fault"],
    &["model"],
    &["workflow"],
    &["machine"],
    &["chart", "view", "port", "drift"],
    &["journal", "actuator", "clock"],
    &["conductor"],
    &["app"],
    &["web"],
    &["cli"],
];

/// A file that needs more lines than this is two files.
const LINES_MAX: usize = 400;

/// What no line of ours holds, outside its comments. Here and below each is put together, so that this file
/// does not hold what it looks for and is looked at like any other.
const BANNED: &[&str] = &[
    concat!("to", "do!"),
    concat!("un", "implemented!"),
    concat!("db", "g!"),
    concat!("super::", "super"),
    concat!("crate::", "{"),
    concat!("un", "safe "),
];

/// Words of how the project is made; they belong in none of its files.
const STRANGERS: &[&str] = &[
    concat!("ag", "ent"),
    concat!("ag", "ents"),
    concat!("suba", "gent"),
    concat!("ses", "sion"),
    concat!("ses", "sions"),
    concat!("ll", "m"),
];

/// What only one machine, one registry or one tracker knows; a clone means nothing by it.
const ELSEWHERE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tm", "p/w"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("py", "pi.org"),
    concat!("registry.", "npmjs.org"),
    concat!("iss", "ue #"),
    concat!("iss", "ues/"),
    concat!("pu", "ll/"),
];

/// Crates that one file alone may name, so that they can be replaced there.
const ALONE: &[&str] = &["serde_yaml", "sled"];

pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { text: fs::read_to_string(&path).unwrap(), path }
    }

    /// The lines that are not comments, numbered from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
    }
}

pub(crate) fn read(folder: &str, ending: &str) -> Vec<File> {
    let (mut files, mut folders) = (vec![], vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == ending) {
                files.push(File::at(path));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Every text of the repository: code, pages, scripts, workflows, settings; not what was built or recorded.
fn texts() -> Vec<File> {
    const SKIPPED: &[&str] =
        &["target", ".git", "state", "LICENSE-APACHE", "LICENSE-MIT", "Cargo.lock"];
    let (mut files, mut folders) = (vec![], vec![PathBuf::from(".")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let path =
                entry.path().strip_prefix(".").map(Path::to_path_buf).unwrap_or(entry.path());
            if SKIPPED.iter().any(|it| Path::new(it) == path) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                files.push(File { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Places of elsewhere anywhere in a file, comments too.
fn elsewhere(file: &File) -> Vec<String> {
    let line = |(index, line): (usize, &str)| {
        let place = ELSEWHERE.iter().find(|it| line.contains(**it))?;
        Some(format!("{}:{}: `{place}`", file.path.display(), index + 1))
    };
    file.text.lines().enumerate().filter_map(line).collect()
}

fn sources() -> Vec<File> {
    let files = read("src", "rs");
    assert!(files.len() > 30, "the sources are not where this test looks");
    files
}

fn refuse(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

fn row_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

fn module_of(path: &Path) -> Option<String> {
    let first = path.strip_prefix("src").ok()?.components().next()?;
    let name = Path::new(first.as_os_str()).file_stem()?.to_str()?.to_owned();
    (name != "lib" && name != "main").then_some(name)
}

/// `crate::a::B` names `a`; a group after `crate::` names nothing here and is refused elsewhere.
fn named_modules(code: &str) -> impl Iterator<Item = String> {
    let is_name = |it: &char| it.is_alphanumeric() || *it == '_';
    code.match_indices("crate::")
        .map(move |(at, it)| code[at + it.len()..].chars().take_while(is_name).collect())
}

/// The lines of a file that name a module which is not below its own. Macros of a row say `$crate`.
fn upward(file: &File) -> Vec<String> {
    let Some(own) = module_of(&file.path) else { return vec![] };
    let Some(own_row) = row_of(&own) else {
        return vec![format!("{}: module `{own}` is in no row", file.path.display())];
    };
    let mut faults = vec![];
    for (number, code) in file.code() {
        for named in named_modules(code) {
            if named != own && row_of(&named).is_none_or(|row| row >= own_row) {
                faults.push(format!("{}:{number}: `{own}` names `{named}`", file.path.display()));
            }
        }
    }
    faults
}

fn holding(file: &File, banned: &[&str]) -> Vec<String> {
    let line = |(number, code): (usize, &str)| {
        let word = banned.iter().find(|it| code.contains(**it))?;
        Some(format!("{}:{number}: `{word}`", file.path.display()))
    };
    file.code().filter_map(line).collect()
}

/// Words anywhere in a file, comments too, whole words only: `user-agent` and `session_token` are others.
fn strangers(file: &File) -> Vec<String> {
    let mut faults = vec![];
    for (index, line) in file.text.lines().enumerate() {
        let line = line.to_lowercase();
        let mut words = line.split(|it: char| !it.is_alphanumeric() && !"-_".contains(it));
        if let Some(word) = words.find(|it| STRANGERS.contains(it)) {
            faults.push(format!("{}:{}: `{word}`", file.path.display(), index + 1));
        }
    }
    faults
}

fn too_long(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > LINES_MAX).then(|| format!("{}: {lines} lines", file.path.display()))
}

#[test]
fn modules_depend_downward() {
    let faults: Vec<_> = sources().iter().flat_map(upward).collect();
    refuse("a module names modules of lower rows and itself only", &faults);
}

#[test]
fn every_file_says_what_it_is() {
    let silent = |it: &File| (!it.text.starts_with("//! ")).then(|| it.path.display().to_string());
    let files = sources().into_iter().chain(read("tests", "rs"));
    refuse("no `//!` on the first line", &files.filter_map(|it| silent(&it)).collect::<Vec<_>>());
}

#[test]
fn no_file_is_too_long() {
    refuse("too long", &sources().iter().filter_map(too_long).collect::<Vec<_>>());
}

#[test]
fn nothing_banned_is_left_in_the_code() {
    let own = read("tests/it", "rs").into_iter().filter(|it| it.path.ends_with("tidy.rs"));
    let files: Vec<_> = sources().into_iter().chain(own).collect();
    let faults: Vec<_> = files.iter().flat_map(|it| holding(it, BANNED)).collect();
    refuse("does not belong into the code", &faults);
}

#[test]
fn no_test_is_switched_off() {
    let files = sources().into_iter().chain(read("tests", "rs"));
    let faults: Vec<_> = files.flat_map(|it| holding(&it, &[concat!("#[", "ignore")])).collect();
    refuse("a test that does not run proves nothing", &faults);
}

/// Places in a test that start the program itself and do not say in which folder: what it writes for people it
/// writes into the folder it is started in, and that would be the clone.
fn in_the_clone(file: &File) -> Vec<String> {
    let started = holding(file, &[concat!("new(env!(\"CARGO_BIN_EXE_", "changeover\"))"), NAMED]);
    if file.text.contains(".current_dir(") { vec![] } else { started }
}

/// How a test names the program by its neighbours.
const NAMED: &str = concat!("program(\"", "changeover\")");

#[test]
fn no_test_runs_the_program_in_the_clone() {
    // Needs no system at all, and writes nothing.
    let bare = |it: &File| it.path == Path::new("tests/it/cli/binary.rs");
    let files = read("tests", "rs");
    assert!(files.iter().any(bare), "the tests are not where this test looks");
    let faults: Vec<_> = files.iter().filter(|it| !bare(it)).flat_map(in_the_clone).collect();
    refuse("the program is started without a folder of its own", &faults);
}

#[test]
fn a_replaceable_crate_is_named_in_one_file() {
    let files = sources();
    for name in ALONE {
        let path = format!("{name}::");
        let naming: Vec<_> = files
            .iter()
            .filter(|it| !holding(it, &[&path]).is_empty())
            .map(|it| it.path.display().to_string())
            .collect();
        assert!(naming.len() <= 1, "`{name}` is named in: {}", naming.join(", "));
    }
}

#[test]
fn what_may_take_longer_is_named_as_it_is_called() {
    let settings = fs::read_to_string(".config/nextest.toml").unwrap();
    let named: Vec<&str> =
        settings.split("test(").skip(1).filter_map(|it| it.split(')').next()).collect();
    assert!(!named.is_empty(), "nothing may take longer: this test has no use any more");
    let tests = read("tests", "rs");
    for name in named {
        let is = |line: &str| line.contains("fn ") && line.contains(name);
        let found = tests.iter().any(|it| it.text.lines().any(is));
        assert!(found, ".config/nextest.toml: there is no test `{name}`");
    }
}

#[test]
fn every_error_code_has_a_page_worth_reading() {
    let mut faults = vec![];
    for code in changeover::fault::all() {
        let lines = code.page.lines().filter(|it| !it.trim().is_empty()).count();
        if lines < 6 || !code.page.starts_with(&format!("# {}", code.id)) {
            faults.push(format!("docs/errors/{}.md: {lines} lines", code.id));
        }
    }
    for page in read("docs/errors", "md") {
        let name = page.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if changeover::fault::find(&name).is_none() {
            faults.push(format!("{}: no such code", page.path.display()));
        }
    }
    refuse("a page says what it means, why it happens, what to do", &faults);
}

#[test]
fn the_words_are_ours() {
    let files = texts();
    for known in
        ["README.md", "scripts/demo", "docs/machine.md", "workflows/gigadb.yaml", "src/main.rs"]
    {
        assert!(files.iter().any(|it| it.path == Path::new(known)), "{known} is not looked at");
    }
    // What stands for ssh has ssh's own words, and contracts of services have theirs.
    let foreign =
        |it: &&File| !it.path.starts_with("tests/lab") && !it.path.starts_with("tests/contracts");
    let faults: Vec<_> = files.iter().filter(foreign).flat_map(strangers).collect();
    refuse("words that do not belong", &faults);
}

#[test]
fn a_clone_means_the_same_everywhere() {
    let ours = |it: &&File| !it.path.starts_with("tests/contracts");
    let faults: Vec<_> = texts().iter().filter(ours).flat_map(elsewhere).collect();
    refuse("a place that only one machine or tracker knows", &faults);
}

#[test]
fn these_tests_can_fail() {
    let planted = |path: &str, text: &str| File { path: path.into(), text: text.to_owned() };
    let bad =
        planted("src/machine/life.rs", "use crate::conductor::Command;\nuse crate::model::Way;\n");
    assert_eq!(upward(&bad), ["src/machine/life.rs:1: `machine` names `conductor`"]);
    let sideways = planted("src/view/mod.rs", "let it = crate::chart::table();");
    assert_eq!(upward(&sideways), ["src/view/mod.rs:1: `view` names `chart`"]);
    let homeless = planted("src/misc.rs", "");
    assert_eq!(upward(&homeless), ["src/misc.rs: module `misc` is in no row"]);
    let grouped = planted(
        "src/app/mod.rs",
        &format!("use {}cli, model}};\n// {}(this)\n", BANNED[4], BANNED[2]),
    );
    assert_eq!(holding(&grouped, BANNED), [format!("src/app/mod.rs:1: `{}`", BANNED[4])]);
    let one = STRANGERS[0];
    let text = format!("plain words, a user-{one}\nas the {one} said; management is fine\n");
    assert_eq!(strangers(&planted("docs/a.md", &text)), [format!("docs/a.md:2: `{one}`")]);
    let upper = planted("docs/a.md", &one.to_uppercase());
    assert_eq!(strangers(&upper), [format!("docs/a.md:1: `{one}`")]);
    let (place, number) = (ELSEWHERE[0], ELSEWHERE[6]);
    let text = format!("see {place}shared\nas in {number}7\na tissue is fine\n");
    let told = [format!("docs/a.md:1: `{place}`"), format!("docs/a.md:2: `{number}`")];
    assert_eq!(elsewhere(&planted("docs/a.md", &text)), told);
    let started = format!("let it = Process::new({NAMED});");
    assert_eq!(in_the_clone(&planted("tests/it/a.rs", &started)).len(), 1);
    let long = planted("src/long.rs", &"//! x\n".repeat(LINES_MAX + 1));
    assert_eq!(too_long(&long), Some("src/long.rs: 401 lines".to_owned()));
}
