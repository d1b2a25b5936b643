//! Bytes inside JSON, lossless and readable: a string where the bytes are UTF-8, otherwise
//! `{"base64": "..."}`.
//!
//! The submodules are for `#[serde(with = ...)]`, so that the public types carry plain
//! [`BString`]s.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::BString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WireBytes {
    Text(String),
    Raw { base64: String },
}

impl From<&BString> for WireBytes {
    fn from(bytes: &BString) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => WireBytes::Text(text.to_owned()),
            Err(_) => WireBytes::Raw { base64: STANDARD.encode(bytes) },
        }
    }
}

impl TryFrom<WireBytes> for BString {
    type Error = base64::DecodeError;

    fn try_from(wire: WireBytes) -> Result<Self, Self::Error> {
        match wire {
            WireBytes::Text(text) => Ok(BString::from(text)),
            WireBytes::Raw { base64 } => STANDARD.decode(base64).map(BString::from),
        }
    }
}

/// One `BString`.
pub(crate) mod one {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(bytes: &BString, to: S) -> Result<S::Ok, S::Error> {
        WireBytes::from(bytes).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BString, D::Error> {
        BString::try_from(WireBytes::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// `Option<BString>`; use with `#[serde(default)]`.
pub(crate) mod optional {
    use super::*;

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(crate) fn serialize<S: Serializer>(
        bytes: &Option<BString>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(WireBytes::from).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<BString>, D::Error> {
        let wire = Option::<WireBytes>::deserialize(from)?;
        wire.map(BString::try_from).transpose().map_err(D::Error::custom)
    }
}

/// `Vec<BString>`.
pub(crate) mod list {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(list: &[BString], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.iter().map(WireBytes::from))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<BString>, D::Error> {
        let wire = Vec::<WireBytes>::deserialize(from)?;
        wire.into_iter().map(BString::try_from).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

/// Names and values, as in an environment.
pub(crate) mod pairs {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        pairs: &[(BString, BString)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(
            pairs.iter().map(|(name, value)| (WireBytes::from(name), WireBytes::from(value))),
        )
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(BString, BString)>, D::Error> {
        let wire = Vec::<(WireBytes, WireBytes)>::deserialize(from)?;
        wire.into_iter()
            .map(|(name, value)| Ok((BString::try_from(name)?, BString::try_from(value)?)))
            .collect::<Result<_, base64::DecodeError>>()
            .map_err(D::Error::custom)
    }
}
