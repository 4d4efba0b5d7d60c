//! The `iot-data` HTTPS API.
