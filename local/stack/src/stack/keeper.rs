//! Saves and restores the state of the services that is not in the database.

use std::sync::Arc;
use std::time::Duration;

use local_broker::Broker;
use local_greengrass::Greengrass;
use local_jobs::Jobs;
use local_registry::Registry;
use local_shadows::Shadows;
use local_sqs::Sqs;
use local_streams::Streams;
use tokio_util::sync::CancellationToken;

use super::StackError;
use super::state::StateDir;

/// How often changed state is saved.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// The services whose state is kept, and the directory that keeps it.
pub(super) struct Keeper {
    pub(super) directory: StateDir,
    pub(super) broker: Broker,
    pub(super) shadows: Shadows,
    pub(super) registry: Registry,
    pub(super) greengrass: Greengrass,
    pub(super) jobs: Jobs,
    pub(super) sqs: Sqs,
    pub(super) streams: Streams,
    /// Held during a save, so that an earlier save never overwrites a later one.
    pub(super) saving: Arc<tokio::sync::Mutex<()>>,
}

impl Keeper {
    /// Restores what an earlier stack has saved.
    pub(super) fn restore(&self) -> Result<(), StackError> {
        if let Some(state) = self.directory.load("registry")? {
            self.registry.restore(&state).map_err(|why| self.directory.unreadable("registry", &why))?;
        }
        if let Some(state) = self.directory.load("greengrass")? {
            self.greengrass.restore(&state).map_err(|why| self.directory.unreadable("greengrass", &why))?;
        }
        if let Some(state) = self.directory.load("jobs")? {
            self.jobs.restore(&state).map_err(|why| self.directory.unreadable("jobs", &why))?;
        }
        if let Some(state) = self.directory.load("shadows")? {
            self.shadows.restore(&state).map_err(|why| self.directory.unreadable("shadows", &why))?;
        }
        if let Some(state) = self.directory.load("broker")? {
            self.broker.restore(&state);
        }
        if let Some(state) = self.directory.load("sqs")? {
            self.sqs.restore(&state).map_err(|why| self.directory.unreadable("sqs", &why))?;
        }
        if let Some(state) = self.directory.load("streams")? {
            self.streams.restore(&state).map_err(|why| self.directory.unreadable("streams", &why))?;
        }
        Ok(())
    }

    /// Saves changed state. An error is logged; the next save tries again.
    pub(super) async fn save(self: &Arc<Self>) {
        let (keeper, saving) = (self.clone(), self.saving.clone().lock_owned().await);
        let saved = tokio::task::spawn_blocking(move || {
            let _saving = saving;
            keeper.directory.save("streams", &keeper.streams.snapshot())?;
            keeper.directory.save("sqs", &keeper.sqs.snapshot())?;
            keeper.directory.save("registry", &keeper.registry.snapshot())?;
            keeper.directory.save("greengrass", &keeper.greengrass.snapshot())?;
            keeper.directory.save("jobs", &keeper.jobs.snapshot())?;
            keeper.directory.save("shadows", &keeper.shadows.snapshot())?;
            keeper.directory.save("broker", &keeper.broker.snapshot())
        });
        match saved.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "state could not be saved"),
            Err(error) => tracing::error!(%error, "state could not be saved"),
        }
    }

    /// Saves every second until the stack stops.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SAVE_INTERVAL)).await.is_some() {
            self.save().await;
        }
    }
}
