"""The errors of the vault's data plane, in their real shape and words."""

from http import HTTPStatus

FORBIDDEN = HTTPStatus.FORBIDDEN
RBAC_ACTIONS = {
    "get": "secrets/getSecret/action",
    "list": "secrets/readMetadata/action",
    "set": "secrets/setSecret/action",
    "delete": "secrets/delete",
    "recover": "secrets/recover/action",
    "purge": "secrets/purge/action",
    "backup": "secrets/backup/action",
    "restore": "secrets/restore/action",
    "keys/get": "keys/read",
    "keys/list": "keys/read",
    "keys/create": "keys/create/action",
    "keys/import": "keys/import/action",
    "keys/update": "keys/update/action",
    "keys/rotate": "keys/rotate/action",
    "keys/getrotationpolicy": "keyrotationpolicies/read",
    "keys/setrotationpolicy": "keyrotationpolicies/write",
    "keys/delete": "keys/delete",
    "keys/recover": "keys/recover/action",
    "keys/purge": "keys/purge/action",
    "keys/backup": "keys/backup/action",
    "keys/restore": "keys/restore/action",
    "certificates/get": "certificates/read",
    "certificates/list": "certificates/read",
    "certificates/create": "certificates/create/action",
    "certificates/import": "certificates/import/action",
    "certificates/update": "certificates/update/action",
    "certificates/delete": "certificates/delete",
    "certificates/recover": "certificates/recover/action",
    "certificates/purge": "certificates/purge/action",
    "certificates/backup": "certificates/backup/action",
    "certificates/restore": "certificates/restore/action",
}
"""Permission -> what follows Microsoft.KeyVault/vaults/ in the name of the data action. Those without a
slash are about secrets."""


class VaultError(Exception):
    """The operation is refused."""

    def __init__(self, status: int, code: str, message: str, inner: str | None = None):
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner

    def body(self) -> dict:
        error: dict = {"code": self.code, "message": self.message}
        if self.inner:
            error["innererror"] = {"code": self.inner}
        return {"error": error}


def bad_parameter(message: str) -> VaultError:
    return VaultError(400, "BadParameter", message)


def invalid_property() -> VaultError:
    return bad_parameter("Property has invalid value\r\n")


def not_found(kind: str, identifier: str) -> VaultError:
    return VaultError(
        404,
        f"{kind}NotFound",
        f"A {kind.lower()} with (name/id) {identifier} was not found in this key vault. If you"
        " recently deleted this"
        f" {kind.lower()} you may be able to recover it using the correct recovery command. For help"
        " resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def deleted_not_found(kind: str, name: str) -> VaultError:
    return VaultError(404, f"{kind}NotFound", f"Deleted {kind} not found: {name}")


def managed(kind: str, operation: str) -> VaultError:
    """The key or secret of a certificate lives as long as that."""
    return VaultError(
        FORBIDDEN,
        "Forbidden",
        f'Operation "{operation}" is not allowed on this {kind.lower()}, since it is associated with a'
        " certificate. Perform the operation on the corresponding certificate. For more information refer to"
        " https://docs.microsoft.com/en-us/azure/key-vault/certificates/about-certificates"
        "#composition-of-a-certificate",
        f"{kind}ManagedByKeyVault",
    )


def already_exists(kind: str, name: str) -> VaultError:
    return VaultError(409, "Conflict", f"{kind} {name} already exists, and cannot be restored.")


def disabled() -> VaultError:
    return VaultError(
        FORBIDDEN, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"
    )


def deleted_but_recoverable(kind: str, name: str) -> VaultError:
    return VaultError(
        409,
        "Conflict",
        f"{kind} {name} is currently in a deleted but recoverable state, and its name cannot be"
        f" reused; in this state, the {kind.lower()} can only be recovered or purged.",
        "ObjectIsDeletedButRecoverable",
    )


def being_deleted(kind: str, name: str) -> VaultError:
    return VaultError(
        409,
        "Conflict",
        f"{kind} {name} is currently being deleted and cannot be re-created; retry later.",
        "ObjectIsBeingDeleted",
    )


def being_recovered(kind: str, name: str) -> VaultError:
    return VaultError(
        409, "Conflict", f"{kind} {name} is currently being recovered.", "ObjectIsBeingRecovered"
    )


def unauthorized(state: str, claims: dict, resource: str, tenant_id: str, app_id: str) -> VaultError:
    """What a vault answers to a bearer in `state` (see tokens.Bearer)."""
    texts = {
        "none": "AKV10000: Request is missing a Bearer, PoP, or MTLS_POP token.",
        "malformed": "[BearerReadAccessTokenFailed] Error validating token: 'S2S17001'.",
        "signature": "AKV10046: Unable to resolve the key used for signature validation.",
        "issuer": (
            f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{tenant_id}/,"
            f" found {claims.get('iss')}."
        ),
        "audience": (
            f"AKV10022: Invalid audience. Expected {resource} or {app_id},"
            f" found: {claims.get('aud')}."
        ),
        "expired": "[TokenExpired] Error validating token: 'S2S12086'.",
        "revoked": "[TokenExpired] Error validating token: 'S2S12086'.",
    }
    return VaultError(401, "Unauthorized", texts[state])


def forbidden_by_rbac(claims: dict, permission: str, vault: str, resource: str) -> VaultError:
    """`resource` is what follows the vault's id: kind and name of the object."""
    path = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/rg"
    lines = (
        "Caller is not authorized to perform action on resource.",
        "If role assignments, deny assignments or role definitions were changed recently, please"
        " observe propagation time.",
        f"Caller: appid={claims['appid']};oid={claims['oid']};iss={claims['iss']}",
        f"Action: 'Microsoft.KeyVault/vaults/{RBAC_ACTIONS[permission]}'",
        f"Resource: '{path}/providers/microsoft.keyvault/vaults/{vault}{resource}'",
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: 'DeniedWithNoValidRBAC' ",
        f"Vault: {vault};location=westeurope",
        "",
    )
    return VaultError(FORBIDDEN, "Forbidden", "\r\n".join(lines), "ForbiddenByRbac")


def access_denied(claims: dict, permission: str, vault: str) -> VaultError:
    """The same refusal by a vault with access policies instead of roles."""
    kind, _, verb = permission.rpartition("/")
    return VaultError(
        FORBIDDEN,
        "Forbidden",
        f"The user, group or application 'appid={claims['appid']};oid={claims['oid']};"
        f"iss={claims['iss']}' does not have {kind or 'secrets'} {verb} permission on key vault"
        f" '{vault};location=westeurope'. For help resolving this issue, please see"
        " https://go.microsoft.com/fwlink/?linkid=2125287",
        "AccessDenied",
    )


def of_status(status: int) -> VaultError:
    """The usual body of a bare status, for scripted faults."""
    usual = {
        400: ("BadParameter", "Property has invalid value"),
        401: ("Unauthorized", "AKV10000: Request is missing a Bearer, PoP, or MTLS_POP token."),
        429: (
            "Throttled",
            "Request was not processed because too many requests were received. Reason:"
            " VaultRequestTypeLimitReached",
        ),
        500: ("InternalServerError", "The service encountered an internal error."),
        503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    }
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return VaultError(status, *usual.get(status, (phrase.replace(" ", ""), phrase)))
