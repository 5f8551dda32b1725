//! The practice certificate authority and the certificates of the sites.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use super::certificate_names;
use crate::settings::SiteSettings;
use crate::text;

/// Days that a certificate lasts, where nothing else is set.
const DAYS: i64 = 90;

/// The practice certificate authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// A site's certificate and key, ready for connections.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// What a TLS listener needs.
    pub(crate) config: Arc<ServerConfig>,
}

impl Authority {
    /// A new authority with a new key.
    pub(crate) fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Changeover practice authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        validity(&mut params, 3650);
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// The authority's certificate, for `SSL_CERT_FILE`.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for a site as it is set.
    pub(crate) fn identity(&self, settings: &SiteSettings) -> Result<Identity, String> {
        let said = |error: &dyn fmt::Display| error.to_string();
        let names = certificate_names(settings);
        let mut params = CertificateParams::new(names.clone()).map_err(|e| said(&e))?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, names.first().cloned().unwrap_or_default());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        validity(&mut params, settings.cert_days.unwrap_or(DAYS));
        let key = KeyPair::generate().map_err(|e| said(&e))?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|e| said(&e))?;
        let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(said_str)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| said(&e))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .map_err(|e| said(&e))?;
        Ok(Identity { config: Arc::new(config) })
    }
}

fn said_str(error: &'static str) -> String {
    error.to_owned()
}

/// A validity from a while ago to some days from now; none or fewer days have already ended.
fn validity(params: &mut CertificateParams, days: i64) {
    let day = |ahead: i64| {
        let digits = text::day(-ahead);
        let part = |range: std::ops::Range<usize>| digits[range].parse::<u16>().unwrap_or(1);
        let small = |number: u16| u8::try_from(number).unwrap_or(1);
        date_time_ymd(i32::from(part(0..4)), small(part(4..6)), small(part(6..8)))
    };
    params.not_before = day(-100);
    params.not_after = day(if days <= 0 { days - 1 } else { days + 1 });
}
