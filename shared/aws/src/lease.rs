//! Leases, in the table of executions: one run at a time works through a shard of the due index, and one function at a
//! time looks for what has to begin before its time.

use std::fmt;

use domain::Timestamp;

use crate::{
    error::{Error, FromAnswer},
    executions::Executions,
    item::{Item, millis, number, text},
    update::Update,
};

/// An item that is left behind is removed after this time.
const RETENTION_SECONDS: u32 = 24 * 60 * 60;

/// What one function at a time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The work on a shard of the due index.
    Shard(u8),
    /// The look at the entries of the next minutes.
    LookAhead,
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shard(shard) => shard.fmt(f),
            Self::LookAhead => f.write_str("look-ahead"),
        }
    }
}

impl Executions {
    /// Takes a lease until `until`: if it has no holder, has ended, or its holder is `before`. Returns
    /// whether it is taken. `token` names the new holder.
    ///
    /// # Errors
    /// A failed write. The lease may be taken then; it ends by itself.
    pub async fn take_lease(
        &self,
        lease: Lease,
        token: &str,
        before: Option<&str>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, Error> {
        let mut update = Update::default();
        update.set("holder", text(token));
        update.set("held_until", millis(until));
        update.set("purge_at", number(until.plus_seconds(RETENTION_SECONDS).as_seconds()));
        let free = update.absent_or_compares("held_until", "<=", millis(now));
        // Also after a try of this call that was applied, and only its answer was lost.
        let own = update.equals_any("holder", [Some(token), before].into_iter().flatten().map(text));
        update.if_any([free, own]);
        self.write_lease("taking a lease", lease, update).await
    }

    /// Gives a lease back, unless another run has it.
    ///
    /// # Errors
    /// A failed write. The lease ends by itself.
    pub async fn release_lease(&self, lease: Lease, token: &str) -> Result<(), Error> {
        let mut update = Update::default();
        update.remove("holder");
        update.remove("held_until");
        update.if_compares("holder", "=", text(token));
        self.write_lease("giving back a lease", lease, update).await.map(|_| ())
    }

    /// Whether the update was applied.
    async fn write_lease(&self, operation: &'static str, lease: Lease, update: Update) -> Result<bool, Error> {
        let key = Item::from([("pk".into(), text(format!("R#{lease}"))), ("sk".into(), text("LEASE"))]);
        let written = update.write(&self.client, &self.table, key).await;
        written.map_err(|error| Error::sdk(operation, lease, error))
    }
}
