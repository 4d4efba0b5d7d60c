//! Method and path of each operation of the registry.

use axum::Router;
use axum::routing::{MethodFilter, on};

use super::Registry;
use super::http::{read, write};
use super::new_keys::create_keys_and_certificate;
use super::store::Store;

/// Adds all operations to a router; the paths are those of the `iot` API model.
pub(super) fn all(router: Router<Registry>) -> Router<Registry> {
    const GET: MethodFilter = MethodFilter::GET;
    const POST: MethodFilter = MethodFilter::POST;
    const PUT: MethodFilter = MethodFilter::PUT;
    const PATCH: MethodFilter = MethodFilter::PATCH;
    const DELETE: MethodFilter = MethodFilter::DELETE;
    router
        .route("/endpoint", read(GET, Store::describe_endpoint))
        // Things.
        .route("/things", read(GET, Store::list_things))
        .route("/things/{thing}", write(POST, Store::create_thing))
        .route("/things/{thing}", read(GET, Store::describe_thing))
        .route("/things/{thing}", write(PATCH, Store::update_thing))
        .route("/things/{thing}", write(DELETE, Store::delete_thing))
        .route("/things/{thing}/thing-groups", read(GET, Store::list_thing_groups_for_thing))
        .route("/things/{thing}/principals", write(PUT, Store::attach_thing_principal))
        .route("/things/{thing}/principals", write(DELETE, Store::detach_thing_principal))
        .route("/things/{thing}/principals", read(GET, Store::list_thing_principals))
        .route("/things/{thing}/principals-v2", read(GET, Store::list_thing_principals_v2))
        .route("/principals/things", read(GET, Store::list_principal_things))
        .route("/principals/things-v2", read(GET, Store::list_principal_things_v2))
        // Thing types.
        .route("/thing-types", read(GET, Store::list_thing_types))
        .route("/thing-types/{thingTypeName}", write(POST, Store::create_thing_type))
        .route("/thing-types/{thingTypeName}", read(GET, Store::describe_thing_type))
        .route("/thing-types/{thingTypeName}", write(DELETE, Store::delete_thing_type))
        .route("/thing-types/{thingTypeName}/deprecate", write(POST, Store::deprecate_thing_type))
        // Thing groups.
        .route("/thing-groups", read(GET, Store::list_thing_groups))
        .route("/thing-groups/addThingToThingGroup", write(PUT, Store::add_thing_to_thing_group))
        .route("/thing-groups/removeThingFromThingGroup", write(PUT, Store::remove_thing_from_thing_group))
        .route("/thing-groups/updateThingGroupsForThing", write(PUT, Store::update_thing_groups_for_thing))
        .route("/thing-groups/{thingGroupName}", write(POST, Store::create_thing_group))
        .route("/thing-groups/{thingGroupName}", read(GET, Store::describe_thing_group))
        .route("/thing-groups/{thingGroupName}", write(PATCH, Store::update_thing_group))
        .route("/thing-groups/{thingGroupName}", write(DELETE, Store::delete_thing_group))
        .route("/thing-groups/{thingGroupName}/things", read(GET, Store::list_things_in_thing_group))
        // Certificates.
        .route("/keys-and-certificate", on(POST, create_keys_and_certificate))
        .route("/certificate/register-no-ca", write(POST, Store::register_certificate_without_ca))
        .route("/certificates", write(POST, Store::create_certificate_from_csr))
        .route("/certificates", read(GET, Store::list_certificates))
        .route("/certificates/{certificateId}", read(GET, Store::describe_certificate))
        .route("/certificates/{certificateId}", write(PUT, Store::update_certificate))
        .route("/certificates/{certificateId}", write(DELETE, Store::delete_certificate))
        // Policies.
        .route("/policies", read(GET, Store::list_policies))
        .route("/policies/{policyName}", write(POST, Store::create_policy))
        .route("/policies/{policyName}", read(GET, Store::get_policy))
        .route("/policies/{policyName}", write(DELETE, Store::delete_policy))
        .route("/policies/{policyName}/version", write(POST, Store::create_policy_version))
        .route("/policies/{policyName}/version", read(GET, Store::list_policy_versions))
        .route("/policies/{policyName}/version/{policyVersionId}", read(GET, Store::get_policy_version))
        .route("/policies/{policyName}/version/{policyVersionId}", write(PATCH, Store::set_default_policy_version))
        .route("/policies/{policyName}/version/{policyVersionId}", write(DELETE, Store::delete_policy_version))
        .route("/target-policies/{policyName}", write(PUT, Store::attach_policy))
        .route("/target-policies/{policyName}", write(POST, Store::detach_policy))
        .route("/attached-policies/{target}", read(POST, Store::list_attached_policies))
        .route("/policy-targets/{policyName}", read(POST, Store::list_targets_for_policy))
        // Deprecated operations with the same effect, such as `AttachPrincipalPolicy`.
        .route("/principal-policies", read(GET, Store::list_attached_policies))
        .route("/principal-policies/{policyName}", write(PUT, Store::attach_policy))
        .route("/principal-policies/{policyName}", write(DELETE, Store::detach_policy))
}
