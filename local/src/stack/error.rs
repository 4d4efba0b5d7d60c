//! Why a stack did not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::dynamodb::DynamoDbError;
use crate::rules::RuleError;
use crate::template::TemplateError;

/// Why a stack did not start.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The template cannot be run.
    #[error("{}: {source}", path.display())]
    Template {
        /// The template's file.
        path: PathBuf,
        /// What is wrong with it.
        source: TemplateError,
    },
    /// A port cannot be listened on.
    #[error("cannot listen on {address} ({what}): {source}. {advice}")]
    Port {
        /// Where.
        address: SocketAddr,
        /// What was to listen there.
        what: &'static str,
        /// What the system says.
        source: io::Error,
        /// What to do about it.
        advice: String,
    },
    /// The functions cannot be built.
    #[error("cannot build the functions: {0}")]
    Build(String),
    /// The template names a binary that there is not.
    #[error("function {function}: there is no binary {binary} (there are: {known})")]
    Program {
        /// The function's logical id.
        function: String,
        /// Its `Metadata.BuildProperties.Binary`.
        binary: String,
        /// What there is.
        known: String,
    },
    /// The certificate authority cannot be read or made.
    #[error("certificates in {}: {source}", path.display())]
    Certificates {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// Kept state cannot be read.
    #[error("state in {}: {why}. Remove it to start afresh", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The database did not start.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// A rule cannot be run.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The Lambda host did not start.
    #[error("cannot start the Lambda host: {0}")]
    Lambda(#[source] io::Error),
}
