//! First marks, as `init` and `run adopt` set them.

use std::collections::BTreeMap;

use changeover::model::Evidence;
use changeover::port::{Outside, Survey, World};

use super::stand_in::{Cloudflare, Mishap};
use super::world::{JOURNAL, outside, setting, text, workflow};

const ORG: &str = "_changeover-gigadb.gigadb.org";
const HOST: &str = "_changeover-gigadb.gigadb.host";

async fn first(cloudflare: &Cloudflare) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
    let setting = setting(Outside { cloudflare: cloudflare.url.clone(), ..outside() });
    setting.world.first_marks(&workflow(), JOURNAL, &survey(&[])).await
}

async fn take(
    cloudflare: &Cloudflare,
    marks: &[(&str, u64, &str)],
) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
    let setting = setting(Outside { cloudflare: cloudflare.url.clone(), ..outside() });
    setting.world.take_marks(&workflow(), JOURNAL, &survey(marks)).await
}

fn survey(marks: &[(&str, u64, &str)]) -> Survey {
    let marks = marks.iter().map(|it| (it.0.to_owned(), (it.1, it.2.to_owned())));
    Survey {
        production: "hk".into(),
        releases: BTreeMap::new(),
        addresses: BTreeMap::new(),
        marks: marks.collect(),
        evidence: vec![],
    }
}

#[tokio::test]
async fn a_zone_without_a_mark_gets_the_first_and_only_once() {
    let cloudflare = Cloudflare::start().await;
    cloudflare.remove(ORG);
    cloudflare.remove(HOST);
    let ones = BTreeMap::from([("gigadb.org".to_owned(), 1), ("gigadb.host".to_owned(), 1)]);
    // The first answer is lost; the mark has landed and is found.
    cloudflare.mishap(&[Mishap::LostAfter]);
    assert_eq!(first(&cloudflare).await, Ok(ones.clone()));
    assert_eq!(first(&cloudflare).await, Ok(ones));
    assert_eq!(cloudflare.content(ORG), ["e=1"]);
    assert_eq!(cloudflare.state(|it| it.batches.len()), 2);
}

#[tokio::test]
async fn another_journals_mark_is_refused_until_somebody_adopts_it() {
    let cloudflare = Cloudflare::start().await;
    cloudflare.mark("gigadb.org", 5, "another", "2026-11-21T11:00:00Z");
    let refused = first(&cloudflare).await.unwrap_err();
    assert!(text(&refused).contains("\"foreign_mark\":\"another\""));
    assert_eq!(cloudflare.state(|it| it.batches.len()), 0);
    let stale = take(&cloudflare, &[("gigadb.org", 4, "another")]).await;
    assert!(stale.is_err(), "what was adopted is not what is there");
    let adopted = take(&cloudflare, &[("gigadb.org", 5, "another")]).await.unwrap();
    assert_eq!(adopted["gigadb.org"], 6);
    assert_eq!(cloudflare.content(ORG), ["e=4", "e=5", "e=6"]);
}
