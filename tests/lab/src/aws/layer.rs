//! What AWS says and the emulator cannot: things that wait to be done to a database, quotas, stopped servers.

use super::rds::rewritten;
use crate::front::Reply;
use crate::profile::Site;
use crate::settings::SiteSettings;
use crate::text;
use crate::world::World;

/// An answer that the emulator has none for, after AWS's own description of the operation.
pub(super) fn instead(
    service: &str,
    action: &str,
    form: &[(String, String)],
    region: &str,
    world: &World,
) -> Option<Reply> {
    if service != "rds" || action != "DescribePendingMaintenanceActions" {
        return None;
    }
    let wanted = text::value(form, "ResourceIdentifier").unwrap_or_default();
    let action = settings(region, world).and_then(|it| it.database_maintenance);
    let actions = action.map_or_else(String::new, |action| {
        let date = text::stamp_ms(text::now() + jiff::SignedDuration::from_hours(24));
        format!(
            "<ResourcePendingMaintenanceActions><ResourceIdentifier>{wanted}</ResourceIdentifier>\
             <PendingMaintenanceActionDetails><PendingMaintenanceAction><Action>{action}</Action>\
             <CurrentApplyDate>{date}</CurrentApplyDate><OptInStatus>next-maintenance</OptInStatus>\
             </PendingMaintenanceAction></PendingMaintenanceActionDetails>\
             </ResourcePendingMaintenanceActions>"
        )
    });
    let name = "DescribePendingMaintenanceActions";
    let xml = format!(
        "<{name}Response xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><{name}Result>\
         <PendingMaintenanceActions>{actions}</PendingMaintenanceActions></{name}Result>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{name}Response>",
        text::hex32(&actions),
    );
    Some(Reply::text(200, "text/xml", xml))
}

/// The emulator's answer with what is set laid over it.
pub(super) fn over(xml: &str, action: &str, region: &str, world: &World) -> String {
    if action == "DescribeAccountAttributes" {
        let quota = format!("<attributeValue>{}</attributeValue>", world.settings.eip_quota);
        return xml.replace("<attributeValue>5</attributeValue>", &quota);
    }
    let Some(site) = of_region(region) else { return xml.to_owned() };
    let Some(set) = settings(region, world) else { return xml.to_owned() };
    match action {
        "DescribeInstances" if set.stopped => xml
            .replace("<code>16</code>", "<code>80</code>")
            .replace("<name>running</name>", "<name>stopped</name>"),
        "DescribeDBInstances" => {
            rewritten(xml, "DBInstance", "DBInstanceIdentifier", &site.instance(), |it| {
                database(it, &set)
            })
        }
        _ => xml.to_owned(),
    }
}

fn database(instance: &str, set: &SiteSettings) -> String {
    let element =
        |xml: &str, name: &str, value: &Option<String>| match (value, text::element(xml, name)) {
            (Some(value), Some(was)) => {
                let (was, is) =
                    (format!("<{name}>{was}</{name}>"), format!("<{name}>{value}</{name}>"));
                xml.replace(&was, &is)
            }
            _ => xml.to_owned(),
        };
    let xml = element(instance, "DBInstanceStatus", &set.database_status);
    let xml = element(&xml, "ParameterApplyStatus", &set.database_parameters);
    let xml = element(&xml, "PreferredBackupWindow", &set.database_window);
    if !set.database_change {
        return xml;
    }
    format!(
        "{xml}<PendingModifiedValues><DBInstanceClass>db.t3.xlarge</DBInstanceClass></PendingModifiedValues>"
    )
}

fn of_region(region: &str) -> Option<Site> {
    Site::ALL.into_iter().find(|site| site.region() == region)
}

fn settings(region: &str, world: &World) -> Option<SiteSettings> {
    world.settings.sites.get(of_region(region)?.name()).cloned()
}
