import java.io.FileInputStream;
import java.security.KeyStore;
import java.util.Collections;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Reads the stores that akvsync makes as an app does. "list FILE PASSWORD" prints the entries; "serve KEYS PASSWORD
 * TRUST PASSWORD" makes one TLS connection, the server with the first, the client with the second.
 */
public class Store {
    static KeyStore open(String file, String password) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(file)) {
            store.load(in, password.toCharArray());
        }
        return store;
    }

    static void list(KeyStore store, String password) throws Exception {
        for (String alias : Collections.list(store.aliases())) {
            if (store.isKeyEntry(alias)) {
                String kind = store.getKey(alias, password.toCharArray()).getAlgorithm();
                System.out.println(alias + " key " + kind + " " + store.getCertificateChain(alias).length);
            } else {
                System.out.println(alias + " trusted");
            }
        }
    }

    static void serve(KeyStore keys, String password, KeyStore trust) throws Exception {
        KeyManagerFactory key = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        key.init(keys, password.toCharArray());
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(trust);
        SSLContext server = SSLContext.getInstance("TLS");
        server.init(key.getKeyManagers(), null, null);
        SSLContext client = SSLContext.getInstance("TLS");
        client.init(null, trusted.getTrustManagers(), null);
        SSLServerSocket listening = (SSLServerSocket) server.getServerSocketFactory()
            .createServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress());
        Thread answering = new Thread(() -> {
            try (SSLSocket one = (SSLSocket) listening.accept()) {
                one.getOutputStream().write('y');
                one.getOutputStream().flush();
            } catch (java.io.IOException e) {
                System.err.println(e);
            }
        });
        answering.start();
        try (SSLSocket socket = (SSLSocket) client.getSocketFactory()
                .createSocket(listening.getInetAddress(), listening.getLocalPort())) {
            socket.startHandshake();
            System.out.println("connected " + (char) socket.getInputStream().read());
        }
        answering.join();
    }

    public static void main(String[] a) throws Exception {
        if (a[0].equals("list")) {
            list(open(a[1], a[2]), a[2]);
        } else {
            serve(open(a[1], a[2]), a[2], open(a[3], a[4]));
        }
    }
}
