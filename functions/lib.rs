//! What the functions share: telemetry, errors, configuration.
