"""A strict fake of Azure Key Vault and Entra for tests; see client.py for its use from pytest.

    server     the running process           front      request -> site, faults, journal
    http1      HTTP/1.1, server side         wire       replies, whole or spoilt
    sites      host name -> service          faults     scripted faults
    login      the token endpoint            journal    what was asked
    tokens     access tokens                 admin      the admin interface
    vault_api  the data plane                client     the same from Python
    vault      its objects, soft deletion    cli        the same from a shell
    assertion  kubelet's projected token     tcpproxy   latency, black holes, resets
    managed    IMDS and App Service          connectproxy  an HTTP proxy for HTTPS
    client_assertion  signed with a certificate
"""
