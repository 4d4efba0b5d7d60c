//! `Disconnect`: the reason why a connection was lost, or could not be made.

use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError};

/// The CONNACK return code with which AWS IoT refuses a client, where MQTT 3.1.1 defines 5.
const AWS_NOT_AUTHORIZED: u8 = 7;

/// The reason why a connection was lost, or could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Disconnect {
    /// The broker refused the client.
    #[error(
        "not authorized: the certificate has to be active, and to have a policy that allows iot:Connect for this client id"
    )]
    NotAuthorized,
    /// Any other reason.
    #[error(transparent)]
    Other(ConnectionError),
}

impl From<ConnectionError> for Disconnect {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ConnectionRefused(ConnectReturnCode::NotAuthorized)
            | ConnectionError::MqttState(StateError::Deserialization(PacketError::InvalidConnectReturnCode(
                AWS_NOT_AUTHORIZED,
            ))) => Self::NotAuthorized,
            error => Self::Other(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_of_aws_names_what_is_missing() {
        let refused = |code| ConnectionError::from(StateError::from(PacketError::InvalidConnectReturnCode(code)));
        let text = |error: ConnectionError| Disconnect::from(error).to_string();
        assert!(text(refused(7)).starts_with("not authorized: the certificate has to be active"));
        assert!(
            text(ConnectionError::ConnectionRefused(ConnectReturnCode::NotAuthorized)).starts_with("not authorized")
        );
        assert_eq!(text(refused(9)), refused(9).to_string());
    }
}
