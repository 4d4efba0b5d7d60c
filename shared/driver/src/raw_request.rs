//! Notes which execution a raw request is of, so that a device's report that echoes the request finds it.

use calls::{Calls, Error};
use domain::{Command, Execution, RequestDigest};

use crate::driver::Driver;

impl<C: Calls> Driver<'_, C> {
    /// Notes the digest of the execution's request, if that is raw. It is noted before the row is stored, so each request
    /// that goes out has its note. A note without a row means nothing.
    ///
    /// # Errors
    /// A failed read or write, or one that was lost as often as the retry policy allows.
    pub(crate) async fn note_raw_request(&self, row: &Execution, command: &Command) -> Result<(), Error> {
        let Some(raw) = &command.definition.form.raw else { return Ok(()) };
        let digest = RequestDigest::of(raw.bytes());
        let mut retries = self.retries("noting the execution of a raw request", row.key.clone());
        while !self.calls.note_raw_request(row, &digest, self.event_time()).await? {
            retries.wait().await?;
        }
        Ok(())
    }
}
