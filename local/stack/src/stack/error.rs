//! Why a stack did not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use local_dynamodb::DynamoDbError;
use local_registry::PolicyError;
use local_rules::RuleError;
use local_template::TemplateError;

/// Why a stack did not start.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The template cannot be run.
    #[error("{}: {source}", path.display())]
    Template {
        /// The template's file.
        path: PathBuf,
        /// The reason.
        source: TemplateError,
    },
    /// A port cannot be bound.
    #[error("cannot listen on {address} ({what}): {source}. {advice}")]
    Port {
        /// The address.
        address: SocketAddr,
        /// The listener's protocol.
        what: &'static str,
        /// The error of the system.
        source: io::Error,
        /// How to solve it.
        advice: String,
    },
    /// The functions cannot be built.
    #[error("cannot build the functions: {0}")]
    Build(String),
    /// The folder of the functions does not exist.
    #[error("{}: there is no such folder of functions", .0.display())]
    Functions(PathBuf),
    /// The template names a binary that does not exist.
    #[error("function {function}: there is no binary {binary} (existing binaries: {known})")]
    Program {
        /// The function's logical id.
        function: String,
        /// Its `Metadata.BuildProperties.Binary`.
        binary: String,
        /// The existing binaries.
        known: String,
    },
    /// The certificate authority cannot be read or created.
    #[error("certificates in {}: {source}", path.display())]
    Certificates {
        /// The directory.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Saved state cannot be read.
    #[error("state in {}: {why}. Remove it to start afresh", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The database did not start.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// A rule cannot be run.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A policy of devices cannot be evaluated.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The Lambda host did not start.
    #[error("cannot start the Lambda host: {0}")]
    Lambda(#[source] io::Error),
}
