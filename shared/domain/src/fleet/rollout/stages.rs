//! `Canary` and `Waves`: the stages in which a fleet is released. A stage starts when all earlier ones have ended well.

/// The things that are released before all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    things: u32,
    success_percentage: u8,
}

/// Stages given as percentages of the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves {
    percentages: Vec<u8>,
    success_percentage: u8,
}

impl Canary {
    pub(super) const fn new(things: u32, success_percentage: u8) -> Self {
        Self { things, success_percentage }
    }

    /// How many things are in the canary.
    pub const fn things(&self) -> u32 {
        self.things
    }

    /// The percentage of the canary that must succeed: 1 to 100.
    pub const fn success_percentage(&self) -> u8 {
        self.success_percentage
    }
}

impl Waves {
    pub(super) const fn new(percentages: Vec<u8>, success_percentage: u8) -> Self {
        Self { percentages, success_percentage }
    }

    /// The end of each wave, in percent of all things: ascending, the last one 100.
    pub fn percentages(&self) -> &[u8] {
        &self.percentages
    }

    /// The percentage of the things released so far that must succeed before the next wave: 1 to 100.
    pub const fn success_percentage(&self) -> u8 {
        self.success_percentage
    }
}
