//! Why a device's request is refused: a code over MQTT, an exception over HTTPS.
//!
//! Source: AWS IoT Core developer guide, "ErrorResponse"; the API model of `iot-jobs-data`.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// The codes that the service gives. `InternalError` and `RequestThrottled` of AWS do not occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    InvalidTopic,
    InvalidJson,
    InvalidRequest,
    InvalidStateTransition,
    ResourceNotFound,
    VersionMismatch,
    TerminalStateReached,
}

/// A refused request.
#[derive(Debug)]
pub(super) struct DeviceError {
    pub(super) code: Code,
    pub(super) message: String,
    /// `executionState`, with a mismatch of versions or an invalid transition.
    pub(super) state: Option<Value>,
}

impl DeviceError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), state: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, message)
    }

    pub(super) fn with_state(self, state: Value) -> Self {
        Self { state: Some(state), ..self }
    }

    /// The payload of a rejected answer, without the client token.
    pub(super) fn payload(&self, now_ms: i64) -> Value {
        let mut payload = json!({
            "code": self.code.name(),
            "message": self.message,
            "timestamp": now_ms.div_euclid(1_000),
        });
        if let Some(state) = &self.state {
            payload["executionState"] = state.clone();
        }
        payload
    }
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Self::InvalidTopic => "InvalidTopic",
            Self::InvalidJson => "InvalidJson",
            Self::InvalidRequest => "InvalidRequest",
            Self::InvalidStateTransition => "InvalidStateTransition",
            Self::ResourceNotFound => "ResourceNotFound",
            Self::VersionMismatch => "VersionMismatch",
            Self::TerminalStateReached => "TerminalStateReached",
        }
    }

    /// Status and exception over HTTPS. The model has no exception for a version that does not match; this is the one
    /// of the control plane.
    pub(super) fn exception(self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidTopic | Self::InvalidJson | Self::InvalidRequest => {
                (StatusCode::BAD_REQUEST, "InvalidRequestException")
            }
            Self::InvalidStateTransition => (StatusCode::CONFLICT, "InvalidStateTransitionException"),
            Self::ResourceNotFound => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            Self::VersionMismatch => (StatusCode::CONFLICT, "VersionConflictException"),
            Self::TerminalStateReached => (StatusCode::GONE, "TerminalStateException"),
        }
    }
}
