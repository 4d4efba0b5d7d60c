//! A schedule that invokes a function.

/// A `ScheduleV2` event of a function.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Physical name.
    pub name: String,
    /// ARN of the function that is invoked.
    pub function_arn: String,
    /// The period of its `rate(...)` expression, in seconds; other expressions are an error of the template.
    pub every_s: u64,
    /// The event, with context attributes such as `<aws.scheduler.scheduled-time>` still in it.
    pub input: Option<String>,
}
