//! One TLS listener for both sites: the address that was dialled tells which site is meant.

use std::net::IpAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::call::Service;
use crate::front;
use crate::lab::Lab;

/// Serves the sites until the process ends.
pub(crate) async fn serve(lab: Lab, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(connection(lab.clone(), stream));
    }
}

async fn connection(lab: Lab, stream: TcpStream) {
    let local = match stream.local_addr().map(|address| address.ip()) {
        Ok(IpAddr::V4(local)) if local.is_loopback() => local,
        Ok(_) | Err(_) => return refuse(&stream),
    };
    let site = lab.with(|world| {
        let site = world.cloud.site_at(local)?;
        let dead = world.settings.sites.get(site.name()).is_some_and(|settings| settings.dead);
        let dead = dead || world.sites[site.index()].is_stopped();
        (!dead).then(|| (site, world.sites[site.index()].identity.config.clone()))
    });
    let Some((site, config)) = site else { return refuse(&stream) };
    if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
        front::connection(lab, Service::Site, Some(site), stream).await;
    }
}

/// Closes with a reset, as nearly like a closed port as an open one can be.
fn refuse(stream: &TcpStream) {
    drop(stream.set_zero_linger()); // without it the close is merely gentler
}
