//! The handle that everything shares: one world behind one lock, and what never changes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use crate::call::{Arrival, Service};
use crate::client::Client;
use crate::front::{Ask, Reply};
use crate::site::Authority;
use crate::world::World;

/// What is fixed for the life of the process.
#[derive(Debug)]
pub(crate) struct Fixed {
    /// The folder that everything is written under.
    pub(crate) dir: PathBuf,
    /// This program.
    pub(crate) exe: PathBuf,
    /// moto's address, when there is one.
    pub(crate) moto: Option<SocketAddr>,
    /// The control API's address.
    pub(crate) control: SocketAddr,
    /// The practice certificate authority.
    pub(crate) authority: Authority,
    /// The client towards moto.
    pub(crate) client: Client,
}

/// A shared handle of the practice cloud.
#[derive(Clone, Debug)]
pub(crate) struct Lab {
    /// What never changes.
    pub(crate) fixed: Arc<Fixed>,
    world: Arc<Mutex<World>>,
    goes: watch::Sender<()>,
}

impl Lab {
    /// A handle of a new practice cloud.
    pub(crate) fn new(fixed: Fixed, world: World) -> Self {
        let goes = watch::Sender::new(());
        Self { fixed: Arc::new(fixed), world: Arc::new(Mutex::new(world)), goes }
    }

    /// Looks at or changes the world, brought up to the present first.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(Instant::now());
        act(&mut world)
    }

    /// Hears of every time from here on that what is held or late goes on.
    pub(crate) fn goes(&self) -> watch::Receiver<()> {
        self.goes.subscribe()
    }

    /// What is held or late goes on now.
    pub(crate) fn go_on(&self) {
        self.goes.send_replace(());
    }

    /// Names the operation, its place and whether it is of a kind that changes state.
    pub(crate) fn classify(service: Service, ask: &Ask, arrival: &mut Arrival) {
        match service {
            Service::Cloudflare => crate::cloudflare::classify(ask, arrival),
            Service::Gitlab => crate::gitlab::classify(ask, arrival),
            Service::Aws => crate::aws::classify(ask, arrival),
            Service::Site => crate::site::classify(ask, arrival),
            Service::Webhook => {
                "announce".clone_into(&mut arrival.operation);
                arrival.changes = ask.method == "POST";
            }
            Service::Host | Service::Dns | Service::Control => {}
        }
    }

    /// Carries a request out.
    pub(crate) async fn answer(&self, service: Service, ask: Ask) -> Reply {
        match service {
            Service::Cloudflare => self.with(|world| crate::cloudflare::answer(world, &ask)),
            Service::Gitlab => self.with(|world| crate::gitlab::answer(world, &ask)),
            Service::Aws => crate::aws::answer(self, ask).await,
            Service::Site => {
                tokio::time::sleep(self.with(|world| crate::site::takes(world, &ask))).await;
                self.with(|world| crate::site::answer(world, &ask))
            }
            Service::Webhook => self.with(|world| world.announce(&ask)),
            Service::Control => crate::control::answer(self, &ask).await,
            Service::Host | Service::Dns => Reply::text(404, "text/plain", "no such service\n"),
        }
    }
}
