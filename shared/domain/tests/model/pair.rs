//! Two reconcilers, someone who cancels, and a device that reports all the same.
