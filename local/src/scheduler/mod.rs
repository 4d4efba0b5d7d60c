//! EventBridge Scheduler.
