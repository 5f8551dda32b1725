//! PORT-DRIFT: the certificate is looked at on the port that is asked by URL.

use std::collections::BTreeSet;

use super::Look;
use super::deed::Deed;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let ports: BTreeSet<u16> = draft
        .deeds()
        .filter_map(|(_, deed)| if let Deed::Asks(it) = deed { Some(it) } else { None })
        .filter_map(|it| url::Url::parse(&it.url).ok())
        .filter(|it| it.scheme() == "https")
        .filter_map(|it| it.port_or_known_default())
        .collect();
    for (placed, deed) in draft.deeds() {
        let Deed::Certificate(tls) = deed else { continue };
        let port = tls.address.rsplit_once(':').and_then(|it| it.1.parse::<u16>().ok());
        if let Some(port) = port.filter(|it| !ports.is_empty() && !ports.contains(it)) {
            let asked: Vec<String> = ports.iter().map(u16::to_string).collect();
            let message =
                format!("the certificate on port {port} is not the one that users are shown");
            let help = format!("users are answered on port {}", asked.join(", "));
            look.say(&placed.path.key("with").key("address"), message, help);
        }
    }
}
