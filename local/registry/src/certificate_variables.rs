//! Policy variables of a certificate: the attributes of its subject and of its issuer (AWS IoT Core developer guide, "X.509
//! Certificate AWS IoT Core policy variables").

use std::collections::BTreeMap;

use x509_parser::certificate::X509Certificate;
use x509_parser::x509::X509Name;

const PREFIX: &str = "iot:Certificate.";

/// Name in a variable, and the object identifier of the attribute.
const ATTRIBUTES: [(&str, &str); 13] = [
    ("CommonName", "2.5.4.3"),
    ("Surname", "2.5.4.4"),
    ("SerialNumber", "2.5.4.5"),
    ("Country", "2.5.4.6"),
    ("State", "2.5.4.8"),
    ("Organization", "2.5.4.10"),
    ("OrganizationalUnit", "2.5.4.11"),
    ("Title", "2.5.4.12"),
    ("GivenName", "2.5.4.42"),
    ("Initials", "2.5.4.43"),
    ("GenerationQualifier", "2.5.4.44"),
    ("DistinguishedNameQualifier", "2.5.4.46"),
    ("Pseudonym", "2.5.4.65"),
];

/// Whether this is the name of such a variable.
pub(super) fn is_supported(name: &str) -> bool {
    let attribute = name.strip_prefix(PREFIX).and_then(|name| name.split_once('.'));
    attribute.is_some_and(|(of, name)| {
        ["Subject", "Issuer"].contains(&of) && ATTRIBUTES.iter().any(|(known, _)| *known == name)
    })
}

/// Variable to value; of an attribute that occurs several times, the first.
pub(super) fn read(certificate: &X509Certificate<'_>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (of, name) in [("Subject", certificate.subject()), ("Issuer", certificate.issuer())] {
        for (attribute, oid) in ATTRIBUTES {
            if let Some(value) = first(name, oid) {
                variables.insert(format!("{PREFIX}{of}.{attribute}"), value);
            }
        }
    }
    variables
}

fn first(name: &X509Name<'_>, oid: &str) -> Option<String> {
    let mut attributes = name.iter_attributes().filter(|attribute| attribute.attr_type().to_id_string() == oid);
    attributes.find_map(|attribute| attribute.as_str().ok().map(str::to_owned))
}
