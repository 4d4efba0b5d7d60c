//! A device has connected or disconnected: its shadow says so, where the parameter `ConnectedShadow` names one.

use aws::ShadowWriteOutcome;
use domain::{NameError, Presence, PresenceError, ShadowName, Timestamp};
use runtime::clients::Clients;
use runtime::config;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;

/// How often an update is tried that another writer of the shadow overtakes. Lambda retries the event after that.
const MAX_TRIES: u32 = 3;

/// Where it is written whether devices are connected.
#[derive(Clone, Debug, Default)]
pub struct PresenceShadow {
    /// The shadow; none for the classic one.
    name: Option<ShadowName>,
    /// Whether it is created for a thing that does not have it.
    creates: bool,
}

impl PresenceShadow {
    /// The shadow that the environment names. Without one, no rule sends an event.
    ///
    /// # Errors
    /// The name is not a shadow's.
    pub fn from_env() -> Result<Self, NameError> {
        let name = config::optional("CONNECTED_SHADOW").filter(|name| name != "classic");
        let name = name.as_deref().map(ShadowName::parse).transpose()?;
        Ok(Self { name, creates: config::optional("CONNECTED_THINGS").is_some_and(|things| things == "all") })
    }
}

/// Handles one event. `start`: when the invocation started.
pub(super) async fn handle(
    clients: &Clients,
    shadow: &PresenceShadow,
    event: &Result<Option<Presence>, PresenceError>,
    start: Timestamp,
) -> Result<(), HandlerError> {
    let presence = match event {
        Ok(Some(presence)) => presence,
        // A client that is no thing.
        Ok(None) => return Ok(()),
        // Devices may say what they like, and no retry mends it.
        Err(error) => {
            metrics::count(start, &[("PresenceUndecodable", 1)], &[("why", &chain(error))]);
            return Ok(());
        }
    };
    let about = [("thing", presence.thing.as_str())];
    for _ in 0..MAX_TRIES {
        let document = clients.shadows.get(&presence.thing, shadow.name.as_ref()).await.map_err(HandlerError::Aws)?;
        let update = match presence.update(shadow.name.as_ref(), document.as_deref(), shadow.creates) {
            Ok(Some(update)) => update,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(error = chain(&error), thing = %presence.thing, "a shadow could not be read");
                return Ok(());
            }
        };
        match clients.shadows.update(&update).await.map_err(HandlerError::Aws)? {
            // What was created names no version: another event may have been overwritten, so it is read again.
            ShadowWriteOutcome::Applied if document.is_none() => {}
            ShadowWriteOutcome::Applied => return Ok(()),
            ShadowWriteOutcome::Conflict => {}
            ShadowWriteOutcome::TooLarge => {
                metrics::count(start, &[("PresenceTooLarge", 1)], &about);
                return Ok(());
            }
        }
    }
    Err(HandlerError::Incomplete(1))
}
