//! How a value of the domain is stored: a second, plain type beside it, and both conversions.
//!
//! The macros list the fields of a domain type once and make all three of it. They match every
//! field and every variant, so a change of the domain that the disk does not know does not compile.

use std::collections::BTreeMap;

use bstr::BString;
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::layout::{Layout, Preset};
use ccmux_core::model::Timestamp;
use serde::{Deserialize, Serialize};

use super::DecodeError;

/// A domain value with a form on disk.
pub(super) trait Stored: Sized {
    /// What serde reads and writes.
    type Disk;
    fn to_disk(&self) -> Self::Disk;
    fn from_disk(disk: Self::Disk) -> Result<Self, DecodeError>;
}

/// Mirrors a struct whose fields are all [`Stored`].
macro_rules! stored_struct {
    ($domain:ident as $disk:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(serde::Serialize, serde::Deserialize, Debug)]
        pub(super) struct $disk {
            $($(#[$meta])* $field: <$type as Stored>::Disk,)*
        }

        impl Stored for $domain {
            type Disk = $disk;

            fn to_disk(&self) -> $disk {
                let $domain { $($field,)* } = self;
                $disk { $($field: Stored::to_disk($field),)* }
            }

            fn from_disk(disk: $disk) -> Result<Self, DecodeError> {
                Ok($domain { $($field: Stored::from_disk(disk.$field)?,)* })
            }
        }
    };
}

/// Mirrors an enum whose variants have named fields, all of them [`Stored`].
macro_rules! stored_enum {
    ($domain:ident as $disk:ident {
        $($variant:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* })*
    }) => {
        #[derive(serde::Serialize, serde::Deserialize, Debug)]
        #[serde(tag = "type", rename_all = "kebab-case")]
        pub(super) enum $disk {
            $($variant { $($(#[$meta])* $field: <$type as Stored>::Disk,)* },)*
        }

        impl Stored for $domain {
            type Disk = $disk;

            fn to_disk(&self) -> $disk {
                match self {
                    $($domain::$variant { $($field,)* } => {
                        $disk::$variant { $($field: Stored::to_disk($field),)* }
                    })*
                }
            }

            fn from_disk(disk: $disk) -> Result<Self, DecodeError> {
                Ok(match disk {
                    $($disk::$variant { $($field,)* } => {
                        $domain::$variant { $($field: Stored::from_disk($field)?,)* }
                    })*
                })
            }
        }
    };
}

pub(super) use {stored_enum, stored_struct};

/// Values that serde stores as they are.
macro_rules! stored_as_is {
    ($($type:ty),*) => {$(
        impl Stored for $type {
            type Disk = $type;

            fn to_disk(&self) -> $type {
                self.clone()
            }

            fn from_disk(disk: $type) -> Result<Self, DecodeError> {
                Ok(disk)
            }
        }
    )*};
}

stored_as_is!(bool, u16, u32, i32, u64, String);

/// Newtypes around a number.
macro_rules! stored_number {
    ($($type:ident: $number:ty),*) => {$(
        impl Stored for $type {
            type Disk = $number;

            fn to_disk(&self) -> $number {
                self.0
            }

            fn from_disk(disk: $number) -> Result<Self, DecodeError> {
                Ok($type(disk))
            }
        }
    )*};
}

stored_number!(SessionId: u32, WindowId: u32, PaneId: u32, Timestamp: u64);

/// Bytes that are mostly text: a JSON string if they are UTF-8, else `{"b64": "..."}`.
#[derive(Serialize, Deserialize, Debug)]
#[serde(untagged)]
pub(super) enum DiskBytes {
    Text(String),
    Binary { b64: String },
}

impl Stored for BString {
    type Disk = DiskBytes;

    fn to_disk(&self) -> DiskBytes {
        use base64::Engine as _;
        match std::str::from_utf8(self) {
            Ok(text) => DiskBytes::Text(text.to_owned()),
            Err(_) => {
                DiskBytes::Binary { b64: base64::engine::general_purpose::STANDARD.encode(self) }
            }
        }
    }

    fn from_disk(disk: DiskBytes) -> Result<Self, DecodeError> {
        use base64::Engine as _;
        match disk {
            DiskBytes::Text(text) => Ok(text.into()),
            DiskBytes::Binary { b64 } => base64::engine::general_purpose::STANDARD
                .decode(b64)
                .map(BString::from)
                .map_err(|error| DecodeError::value("base64", &error)),
        }
    }
}

impl<T: Stored> Stored for Option<T> {
    type Disk = Option<T::Disk>;

    fn to_disk(&self) -> Self::Disk {
        self.as_ref().map(Stored::to_disk)
    }

    fn from_disk(disk: Self::Disk) -> Result<Self, DecodeError> {
        disk.map(Stored::from_disk).transpose()
    }
}

impl<T: Stored> Stored for Vec<T> {
    type Disk = Vec<T::Disk>;

    fn to_disk(&self) -> Self::Disk {
        self.iter().map(Stored::to_disk).collect()
    }

    fn from_disk(disk: Self::Disk) -> Result<Self, DecodeError> {
        disk.into_iter().map(Stored::from_disk).collect()
    }
}

/// A map is a list of pairs, because keys are not always text.
impl<K: Stored + Ord, V: Stored> Stored for BTreeMap<K, V> {
    type Disk = Vec<(K::Disk, V::Disk)>;

    fn to_disk(&self) -> Self::Disk {
        self.iter().map(|(key, value)| (key.to_disk(), value.to_disk())).collect()
    }

    fn from_disk(disk: Self::Disk) -> Result<Self, DecodeError> {
        disk.into_iter()
            .map(|(key, value)| Ok((K::from_disk(key)?, V::from_disk(value)?)))
            .collect()
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    type Disk = (A::Disk, B::Disk);

    fn to_disk(&self) -> Self::Disk {
        (self.0.to_disk(), self.1.to_disk())
    }

    fn from_disk(disk: Self::Disk) -> Result<Self, DecodeError> {
        Ok((A::from_disk(disk.0)?, B::from_disk(disk.1)?))
    }
}

impl Stored for PaneUuid {
    type Disk = String;

    fn to_disk(&self) -> String {
        self.to_string()
    }

    fn from_disk(disk: String) -> Result<Self, DecodeError> {
        disk.parse().map_err(|error| DecodeError::value("pane uuid", &error))
    }
}

/// tmux's layout string with the pane numbers in it.
impl Stored for Layout {
    type Disk = String;

    fn to_disk(&self) -> String {
        self.to_string()
    }

    fn from_disk(disk: String) -> Result<Self, DecodeError> {
        Layout::parse_with_ids(&disk).map_err(|error| DecodeError::value("layout", &error))
    }
}

impl Stored for Preset {
    type Disk = String;

    fn to_disk(&self) -> String {
        self.name().to_owned()
    }

    fn from_disk(disk: String) -> Result<Self, DecodeError> {
        let found = Preset::ALL.into_iter().find(|preset| preset.name() == disk);
        found.ok_or_else(|| DecodeError::value("preset", &disk))
    }
}
