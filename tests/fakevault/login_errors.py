"""The errors of the token endpoint: number, status, `error` and text, in the shape Entra gives them."""

import time
import uuid

INVALID_CLIENT = (401, "invalid_client")
INVALID_REQUEST = (400, "invalid_request")
UNAUTHORIZED_CLIENT = (400, "unauthorized_client")
INVALID_SCOPE = (400, "invalid_scope")

_FIC_HELP = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented"
    " assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)

TABLE: dict[int, tuple[tuple[int, str], str]] = {
    50001: (
        (400, "invalid_resource"),
        "The resource principal named {detail} was not found in the tenant named {tenant}.",
    ),
    50013: (
        INVALID_CLIENT,
        "Assertion failed signature validation. [Reason - The key was not found. {detail}]",
    ),
    50027: (INVALID_REQUEST, "JWT token is invalid or malformed."),
    50059: (
        INVALID_REQUEST,
        "No tenant-identifying information found in either the request or implied by any provided"
        " credentials.",
    ),
    50196: (
        (400, "invalid_grant"),
        "The server terminated an operation because it encountered a client request loop. Please"
        " contact your app vendor.",
    ),
    53003: (
        (400, "invalid_grant"),
        "Access has been blocked by Conditional Access policies. The access policy does not allow"
        " token issuance.",
    ),
    70003: ((400, "unsupported_grant_type"), "The app requested an unsupported grant type '{detail}'."),
    70011: (
        INVALID_SCOPE,
        "The provided request must include a 'scope' input parameter. The provided value for the"
        " input parameter 'scope' is not valid. The scope {detail} is not valid.",
    ),
    70021: (INVALID_CLIENT, f"No matching federated identity record found for presented assertion. {_FIC_HELP}"),
    70023: (
        INVALID_CLIENT,
        "The external OIDC token has a lifetime of {detail}, which exceeds the maximum allowed"
        " lifetime of 1.01:00:00.",
    ),
    90002: (
        INVALID_REQUEST,
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are"
        " signing into the correct cloud. Check with your subscription administrator, this may"
        " happen if there are no active subscriptions for the tenant.",
    ),
    90033: ((503, "temporarily_unavailable"), "A transient error has occurred. Please try again."),
    90055: (
        (429, "temporarily_unavailable"),
        "The tenant is throttled due to too many requests. Please try again later.",
    ),
    90061: (
        INVALID_REQUEST,
        "Request to External OIDC endpoint failed. Reason: the endpoint could not be reached.",
    ),
    500011: (
        (400, "invalid_resource"),
        "The resource principal named {detail} was not found in the tenant named {tenant}. This can"
        " happen if the application has not been installed by the administrator of the tenant or"
        " consented to by any user in the tenant.",
    ),
    700016: (
        UNAUTHORIZED_CLIENT,
        "Application with identifier '{detail}' was not found in the directory '{tenant}'. This can"
        " happen if the application has not been installed by the administrator of the tenant or"
        " consented to by any user in the tenant. You may have sent your authentication request to"
        " the wrong tenant.",
    ),
    700023: (
        INVALID_CLIENT,
        "Client assertion audience claim does not match Realm issuer.",
    ),
    700024: (
        INVALID_CLIENT,
        "Client assertion is not within its valid time range. {detail} Review the documentation at"
        " https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
    ),
    700027: (
        INVALID_CLIENT,
        "The certificate with identifier used to sign the client assertion is not registered on"
        " application. [Reason - {detail}.]",
    ),
    700211: (
        INVALID_CLIENT,
        f"No matching federated identity record found for presented assertion issuer '{{detail}}'. {_FIC_HELP}",
    ),
    700212: (
        INVALID_CLIENT,
        f"No matching federated identity record found for presented assertion audience '{{detail}}'. {_FIC_HELP}",
    ),
    700213: (
        INVALID_CLIENT,
        f"No matching federated identity record found for presented assertion subject '{{detail}}'. {_FIC_HELP}",
    ),
    700222: (
        INVALID_CLIENT,
        "AAD-issued tokens are not allowed for federated identity flows.",
    ),
    900023: (
        INVALID_REQUEST,
        "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external"
        " domain.",
    ),
    900144: (
        INVALID_REQUEST,
        "The request body must contain the following parameter: '{detail}'.",
    ),
    900561: (
        INVALID_REQUEST,
        "The endpoint only accepts POST requests. Received a {detail} request.",
    ),
    901002: (INVALID_REQUEST, "The 'resource' request parameter is not supported."),
    1002012: (
        INVALID_SCOPE,
        "The provided value for scope {detail} is not valid. Client credential flows must have a"
        " scope value with /.default suffixed to the resource identifier (application ID URI).",
    ),
    5002723: (
        INVALID_CLIENT,
        "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified"
        " in token header.",
    ),
    7000112: (
        (401, "unauthorized_client"),
        "Application '{detail}' is disabled.",
    ),
    7000215: (
        INVALID_CLIENT,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client"
        " secret value, not the client secret ID, for a secret added to app '{detail}'.",
    ),
    7000216: (
        INVALID_CLIENT,
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials'"
        " grant type.",
    ),
    7000218: (
        INVALID_CLIENT,
        "The request body must contain the following parameter: 'client_assertion' or"
        " 'client_secret'.",
    ),
    7000222: (
        INVALID_CLIENT,
        "The provided client secret keys for app '{detail}' are expired. Create new keys for your"
        " app.",
    ),
}


class LoginError(Exception):
    """The request is refused with AADSTS`code`."""

    def __init__(self, code: int, detail: str = "", tenant: str = ""):
        super().__init__(f"AADSTS{code}")
        self.code = code
        (self.status, self.error), text = TABLE[code]
        self.text = text.format(detail=detail, tenant=tenant)

    def body(self, correlation_id: str | None = None) -> dict:
        stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
        trace_id = str(uuid.uuid4())
        correlation_id = correlation_id or str(uuid.uuid4())
        return {
            "error": self.error,
            "error_description": (
                f"AADSTS{self.code}: {self.text} Trace ID: {trace_id}"
                f" Correlation ID: {correlation_id} Timestamp: {stamp}"
            ),
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
