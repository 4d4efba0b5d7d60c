//! `AWS::DynamoDB::Table` and its change stream.

use serde_json::Value;

/// `AWS::DynamoDB::Table`.
#[derive(Clone, Debug)]
pub struct Table {
    /// The resource's key in the template.
    pub logical_id: String,
    /// Physical name.
    pub name: String,
    /// The input of CreateTable, as the DynamoDB API takes it.
    pub create: Value,
    /// The attribute of `TimeToLiveSpecification`, where that is enabled.
    pub ttl_attribute: Option<String>,
    /// `StreamSpecification`.
    pub stream: Option<TableStream>,
}

/// The change stream of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStream {
    /// The stream's ARN.
    pub arn: String,
    /// Which images of an item a record holds.
    pub view: StreamView,
}

/// `StreamViewType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamView {
    /// The item's key only.
    KeysOnly,
    /// The item after the write.
    NewImage,
    /// The item before the write.
    OldImage,
    /// The item before and after the write.
    NewAndOldImages,
}

impl StreamView {
    /// Every view.
    pub const ALL: [Self; 4] = [Self::KeysOnly, Self::NewImage, Self::OldImage, Self::NewAndOldImages];

    /// The view's name in the DynamoDB API.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }

    /// Whether a record holds the item as it was before the write.
    pub fn has_old(self) -> bool {
        matches!(self, Self::OldImage | Self::NewAndOldImages)
    }

    /// Whether a record holds the item as it is after the write.
    pub fn has_new(self) -> bool {
        matches!(self, Self::NewImage | Self::NewAndOldImages)
    }
}
