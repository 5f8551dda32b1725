//! Strikes secrets out of everything that is kept, also in the forms they travel in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

use secrecy::{ExposeSecret, SecretString};

/// Shorter ones would strike out ordinary words.
const SECRET_MIN: usize = 6;

/// Every form of every known secret, longest first when striking.
#[derive(Default)]
pub(super) struct Redact(BTreeSet<String>);

impl fmt::Debug for Redact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redact({} forms)", self.0.len())
    }
}

impl Redact {
    /// Knows the variables whose names say that they are secrets; others are learnt when they are used.
    pub(super) fn of_env(env: &BTreeMap<String, SecretString>) -> Self {
        let mut known = Self::default();
        for (name, secret) in env {
            if is_secret_name(name) {
                known.learn(secret.expose_secret());
            }
        }
        known
    }

    /// From now on this is struck out: as it is, percent-encoded, in JSON, and inside base64.
    pub(super) fn learn(&mut self, secret: &str) {
        if secret.len() < SECRET_MIN {
            return;
        }
        let query: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let json = serde_json::Value::from(secret).to_string();
        let mut forms =
            vec![secret.to_owned(), query, percent(secret), json.trim_matches('"').to_owned()];
        for offset in 0..3 {
            let core = base64_core(secret.as_bytes(), offset);
            forms.push(core.replace('+', "-").replace('/', "_"));
            forms.push(core);
        }
        self.0.extend(forms.into_iter().filter(|it| it.len() >= SECRET_MIN));
    }

    pub(super) fn strike(&self, text: &str) -> String {
        let mut forms: Vec<&String> = self.0.iter().filter(|it| text.contains(*it)).collect();
        forms.sort_by_key(|it| std::cmp::Reverse(it.len()));
        forms.into_iter().fold(text.to_owned(), |text, form| text.replace(form, "[secret]"))
    }
}

/// Which environment variables hold secrets, by the words their names use.
pub(in crate::actuator) fn is_secret_name(name: &str) -> bool {
    ["TOKEN", "SECRET", "PASSWORD", "KEY", "ANNOUNCE_URL", "WEBHOOK", "CREDENTIAL"]
        .iter()
        .any(|word| name.to_ascii_uppercase().contains(word))
}

/// Every byte that is not unreserved as `%XX` (RFC 3986; a form writes a space as `+` instead).
fn percent(secret: &str) -> String {
    secret.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(text, "%{byte:02X}").unwrap_or_default();
        }
        text
    })
}

/// The digits of a base64 text that only this secret decides, when it starts `offset` bytes (mod 3) into
/// what was encoded, as in `Basic base64(user:password)`.
fn base64_core(secret: &[u8], offset: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let skipped = (3 - offset) % 3;
    let whole = secret.get(skipped..).unwrap_or_default();
    whole
        .chunks_exact(3)
        .flat_map(|it| {
            let bits = (u32::from(it[0]) << 16) | (u32::from(it[1]) << 8) | u32::from(it[2]);
            [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift & 63) as usize]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_struck_out_in_every_form_it_travels_in() {
        let mut redact = Redact::default();
        redact.learn("p@ss/word +\"1");
        for text in [
            "was p@ss/word +\"1 there",
            "a=p%40ss%2Fword+%2B%221&b=2",
            "a=p%40ss%2Fword%20%2B%221",
            r#"{"a":"p@ss/word +\"1"}"#,
        ] {
            let struck = redact.strike(text);
            assert!(struck.contains("[secret]") && !struck.contains("word"), "{struck}");
        }
        // printf 'user:p@ss/word +"1' | base64, and without user, and after `ab`.
        for text in ["dXNlcjpwQHNzL3dvcmQgKyIx", "cEBzcy93b3JkICsiMQ==", "YWJwQHNzL3dvcmQgKyIx"] {
            assert!(redact.strike(text).contains("[secret]"), "{text}");
        }
        assert_eq!(redact.strike("pass word 1"), "pass word 1");
    }
}
