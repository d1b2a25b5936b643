//! Why a command failed, in the words that reach a person or a script.

use ccmux_core::command::ParseError;
use ccmux_core::options::OptionError;

/// A command that did nothing, and why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CommandError(String);

impl CommandError {
    /// An error with this message, a fragment as tmux prints it.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

macro_rules! from_display {
    ($($source:ty),* $(,)?) => {
        $(impl From<$source> for CommandError {
            fn from(error: $source) -> Self {
                Self(error.to_string())
            }
        })*
    };
}

from_display!(
    ParseError,
    OptionError,
    ccmux_core::decide::CommandError,
    ccmux_core::target::TargetError,
    ccmux_core::command::ArgsError,
    crate::client::flags::ClientFlagError,
    crate::client::prompt::UnknownPromptType,
);
