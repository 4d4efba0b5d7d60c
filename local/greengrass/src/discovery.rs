//! Discovery: a client device asks for the addresses and authorities of the core devices that it is associated with.
//!
//! Source for path, answer and status codes: AWS IoT Greengrass V2 developer guide, "Greengrass discovery RESTful API".

use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::Response;
use local_gateway::Caller;
use serde_json::{Value, json};

use super::Greengrass;
use super::answer::{self, Exception};
use super::store::{Address, Core};

pub(super) async fn discover(
    State(greengrass): State<Greengrass>,
    Path(thing): Path<String>,
    request: Request,
) -> Result<Response, Exception> {
    let caller = request.extensions().get::<ConnectInfo<Caller>>();
    if caller.is_none_or(|ConnectInfo(caller)| caller.certificate.is_none()) {
        return Err(Exception::unauthorized("discovery needs the certificate of the client device"));
    }
    let store = greengrass.store();
    let cores = store.cores.iter().filter(|(_, core)| core.clients.contains_key(&thing));
    let groups: Vec<Value> = cores.filter_map(|(name, core)| group(&greengrass, name, core)).collect();
    if groups.is_empty() {
        return Err(Exception::not_found(format!("thing {thing} is associated with no core device")));
    }
    Ok(answer::json(&json!({ "GGGroups": groups })))
}

/// What a client device needs to know of one core; none if its thing is gone.
fn group(greengrass: &Greengrass, name: &str, core: &Core) -> Option<Value> {
    let arn = greengrass.0.registry.thing_arn(name)?;
    let own = || vec![own_address(greengrass)];
    let connectivity = core.connectivity.clone().unwrap_or_else(own);
    Some(json!({
        "GGGroupId": format!("greengrassV2-coreDevice-{name}"),
        "Cores": [{ "thingArn": arn, "Connectivity": connectivity }],
        "CAs": [greengrass.0.pki.ca_pem()],
    }))
}

/// On AWS the core itself says where it is: here the broker of the stack is in its place.
fn own_address(greengrass: &Greengrass) -> Address {
    let host = greengrass.0.broker.ip().to_string();
    Address { id: host.clone(), host_address: host, port_number: greengrass.0.broker.port(), metadata: String::new() }
}
