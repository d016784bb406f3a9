"""What the Pod Security Standard 'restricted' refuses in a pod's spec. Allowed is what each version of it allows
that knows the field: image volumes since Kubernetes 1.33."""

VOLUMES = "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split()
SYSCTLS = (
    "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range"
    " net.ipv4.ip_unprivileged_port_start"
).split()
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t")
PROFILES = ("RuntimeDefault", "Localhost")


def hosts(container):
    """The hosts that probes and hooks ask."""
    lifecycle = container.get("lifecycle", {})
    handlers = [container.get(f"{name}Probe", {}) for name in ("startup", "readiness", "liveness")]
    for handler in (*handlers, lifecycle.get("postStart", {}), lifecycle.get("preStop", {})):
        yield from (handler.get(kind, {}).get("host") for kind in ("httpGet", "tcpSocket"))


OF_POD = {
    "hostNetwork": lambda pod: not pod.get("hostNetwork"),
    "hostPID": lambda pod: not pod.get("hostPID"),
    "hostIPC": lambda pod: not pod.get("hostIPC"),
    "volumes": lambda pod: all(set(v) <= {"name", *VOLUMES} for v in pod.get("volumes", [])),
    "sysctls": lambda pod: all(s["name"] in SYSCTLS for s in pod.get("securityContext", {}).get("sysctls", [])),
}
OF_CONTAINER = {
    "hostPort": lambda container: not any(port.get("hostPort") for port in container.get("ports", [])),
    "probed host": lambda container: not any(hosts(container)),
}
# Of a container's own security context; what it does not say, the pod's does not say for it.
OF_OWN_CONTEXT = {
    "privileged": lambda own: not own.get("privileged"),
    "allowPrivilegeEscalation": lambda own: own.get("allowPrivilegeEscalation") is False,
    "capabilities.drop": lambda own: "ALL" in own.get("capabilities", {}).get("drop", []),
    "capabilities.add": lambda own: set(own.get("capabilities", {}).get("add", [])) <= {"NET_BIND_SERVICE"},
    "procMount": lambda own: own.get("procMount", "Default") == "Default",
}
# Of the pod's security context, and of each container's with what it takes from the pod's.
OF_CONTEXT = {
    "runAsUser": lambda context: context.get("runAsUser") != 0,
    "appArmorProfile": lambda context: context.get("appArmorProfile", {}).get("type", PROFILES[0]) in PROFILES,
    "seLinuxOptions.type": lambda context: context.get("seLinuxOptions", {}).get("type", "") in SELINUX_TYPES,
    "seLinuxOptions": lambda context: not {"user", "role"} & set(context.get("seLinuxOptions", {})),
    "hostProcess": lambda context: not context.get("windowsOptions", {}).get("hostProcess"),
}
# The same, but the pod may leave it to its containers.
OF_MERGED_CONTEXT = {
    "runAsNonRoot": lambda merged: merged.get("runAsNonRoot") is True,
    "seccompProfile": lambda merged: merged.get("seccompProfile", {}).get("type") in PROFILES,
}
RULES = {**OF_POD, **OF_CONTAINER, **OF_OWN_CONTEXT, **OF_CONTEXT, **OF_MERGED_CONTEXT}


def refused(pod):
    """The rules that a pod's spec breaks, each with whose they are."""

    def broken(who, rules, what):
        return [(who, rule) for rule, fits in rules.items() if not fits(what)]

    of_pod = pod.get("securityContext", {})
    found = broken("pod", OF_POD, pod) + broken("pod", OF_CONTEXT, of_pod)
    found += broken("pod", {rule: fits for rule, fits in OF_MERGED_CONTEXT.items() if rule in of_pod}, of_pod)
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind, []):
            who, own = container["name"], container.get("securityContext", {})
            found += broken(who, OF_CONTAINER, container) + broken(who, OF_OWN_CONTEXT, own)
            found += broken(who, OF_CONTEXT | OF_MERGED_CONTEXT, of_pod | own)
    return found
