//! Objects of the backup bucket: one looked at, a family listed, one copied.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::MetadataDirective;

use crate::actuator::Wire;
use crate::actuator::aws::{Account, Repeat};
use crate::actuator::trouble::Trouble;
use crate::fault::E3502;
use crate::model::{SiteName, Time};
use crate::workflow::{Backup, Workflow};

/// The metadata that a copy carries: the `ETag` of what it was copied from. Objects uploaded in parts
/// get another `ETag` when they are copied.
const COPIED_FROM: &str = "changeover-copied-from";
/// Pages of a listing that are read at most.
const PAGES_MAX: usize = 10;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::actuator) struct Object {
    /// Its key.
    pub key: String,
    /// Its `ETag`, without quotes.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// When it was written; whole seconds.
    pub modified: Time,
    /// The `ETag` of what it was copied from by us.
    pub copied_from: Option<String>,
}

impl Object {
    /// Whether it holds exactly the bytes of an object with this `ETag` and size.
    pub(in crate::actuator) fn holds(&self, etag: &str, size: u64) -> bool {
        self.size == size && (self.etag == etag || self.copied_from.as_deref() == Some(etag))
    }
}

/// The bucket of a workflow's backups, reached with a site's credentials.
#[derive(Debug)]
pub(in crate::actuator) struct Bucket<'a> {
    account: Account<'a>,
    backup: &'a Backup,
}

impl<'a> Bucket<'a> {
    /// Opens it.
    pub(in crate::actuator) async fn open(
        wire: &'a Wire,
        workflow: &'a Workflow,
        backup: &'a Backup,
        site: &SiteName,
    ) -> Result<Self, Trouble> {
        Ok(Self { account: Account::open(wire, workflow, site).await?, backup })
    }

    /// How evidence names a key: `s3://bucket/key`.
    pub(in crate::actuator) fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.backup.bucket)
    }

    fn client(&self, repeat: Repeat) -> aws_sdk_s3::Client {
        self.account.s3(&self.backup.region, repeat)
    }

    /// The object at this key, if there is one.
    pub(in crate::actuator) async fn head(&self, key: &str) -> Result<Option<Object>, Trouble> {
        let request =
            self.client(Repeat::Reads).head_object().bucket(&self.backup.bucket).key(key).send();
        let answer = match self.account.call("s3 HeadObject", request).await {
            Err(refusal) if refusal.status == Some(404) => return Ok(None),
            other => other?,
        };
        let copied_from = answer.metadata().and_then(|it| it.get(COPIED_FROM)).cloned();
        let (etag, size, modified) = (answer.e_tag, answer.content_length, answer.last_modified);
        let object = object(key, etag, size, modified, copied_from);
        object.map(Some).ok_or_else(|| self.odd(key))
    }

    /// The last bytes of exactly this object, at most so many.
    pub(in crate::actuator) async fn tail(
        &self,
        object: &Object,
        bytes: u32,
    ) -> Result<Vec<u8>, Trouble> {
        let client = self.client(Repeat::Reads);
        let request = client
            .get_object()
            .bucket(&self.backup.bucket)
            .key(&object.key)
            .if_match(format!("\"{}\"", object.etag))
            .range(format!("bytes=-{bytes}"));
        let work = async {
            // The body belongs to the call: it may hang like the answer itself.
            Ok::<_, SdkError<GetObjectError>>(request.send().await?.body.collect().await)
        };
        let body = self.account.call("s3 GetObject", work).await?;
        body.map(|it| it.into_bytes().to_vec())
            .map_err(|error| Trouble::new(&E3502, &self.url(&object.key), error.to_string()))
    }

    /// All objects whose key starts so.
    pub(in crate::actuator) async fn family(&self, prefix: &str) -> Result<Vec<Object>, Trouble> {
        let mut objects = Vec::new();
        let mut next = None;
        for _ in 0..PAGES_MAX {
            let request = self
                .client(Repeat::Reads)
                .list_objects_v2()
                .bucket(&self.backup.bucket)
                .prefix(prefix)
                .set_continuation_token(next);
            let page = self.account.call("s3 ListObjectsV2", request.send()).await?;
            for it in page.contents() {
                let key = it.key().unwrap_or_default();
                let etag = it.e_tag().map(str::to_owned);
                let modified = it.last_modified().copied();
                objects.extend(object(key, etag, it.size(), modified, None));
            }
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                return Ok(objects);
            }
        }
        Err(Trouble::new(&E3502, &self.url(prefix), "more objects than can be read"))
    }

    /// Copies exactly the object that was looked at to another key. Sent once.
    pub(in crate::actuator) async fn copy(&self, from: &Object, to: &str) -> Result<(), Trouble> {
        let bucket = &self.backup.bucket;
        let request = self
            .client(Repeat::Once)
            .copy_object()
            .bucket(bucket)
            .key(to)
            .copy_source(format!("{bucket}/{}", encoded(&from.key)))
            .copy_source_if_match(format!("\"{}\"", from.etag))
            .metadata_directive(MetadataDirective::Replace)
            .metadata(COPIED_FROM, &from.etag);
        self.account.call("s3 CopyObject", request.send()).await?;
        Ok(())
    }

    fn odd(&self, key: &str) -> Trouble {
        Trouble::new(&E3502, &self.url(key), "the answer lacks the size, ETag or time")
    }
}

fn object(
    key: &str,
    etag: Option<String>,
    size: Option<i64>,
    modified: Option<DateTime>,
    copied_from: Option<String>,
) -> Option<Object> {
    Some(Object {
        key: key.to_owned(),
        etag: etag?.trim_matches('"').to_owned(),
        size: u64::try_from(size?).ok()?,
        modified: Time::default().plus_seconds(modified?.secs()),
        copied_from,
    })
}

/// A key as it stands in a copy's source: every byte but the unreserved ones and slashes in per cents.
fn encoded(key: &str) -> String {
    use std::fmt::Write as _;
    key.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _written = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Object, Time, encoded};

    #[test]
    fn encodes_keys() {
        assert_eq!(encoded("a/b_1.backup"), "a/b_1.backup");
        assert_eq!(encoded("a b+ä"), "a%20b%2B%C3%A4");
    }

    #[test]
    fn a_copy_in_another_shape_is_the_same() {
        let copied_from = Some("abc-5".to_owned());
        let (key, etag) = ("k".to_owned(), "def".to_owned());
        let copy = Object { key, etag, size: 7, modified: Time(0), copied_from };
        assert!(copy.holds("abc-5", 7) && copy.holds("def", 7));
        assert!(!copy.holds("abc-5", 8) && !copy.holds("xyz", 7));
    }
}
