package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReady(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"status":"x"}`)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	port := plain.URL[strings.LastIndexByte(plain.URL, ':'):]
	ask := func(args ...string) int {
		var out, errs bytes.Buffer
		return run(append([]string{"ready"}, args...), &out, &errs)
	}
	for _, listen := range []string{"127.0.0.1" + port, "0.0.0.0" + port, "[::]" + port, port} {
		if code := ask("--listen", listen); code != exitYes {
			t.Errorf("%s: exit %d", listen, code)
		}
	}
	if code := ask("--listen", secure.Listener.Addr().String(), "--tls-cert", "any.pem"); code != exitYes {
		t.Errorf("over TLS: exit %d", code)
	}
	if code := ask("--listen", secure.Listener.Addr().String()); code != exitDependency {
		t.Errorf("plain to a TLS port: exit %d", code)
	}
	status = http.StatusServiceUnavailable
	if code := ask("--listen", "127.0.0.1"+port); code != exitDependency {
		t.Errorf("a server that is not ready: exit %d", code)
	}
	plain.Close()
	if code := ask("--listen", "127.0.0.1"+port); code != exitDependency {
		t.Errorf("nobody listens: exit %d", code)
	}
	if code := ask("--listen", "8080"); code != exitFlags {
		t.Errorf("no address: exit %d", code)
	}
}
