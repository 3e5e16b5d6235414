//go:build !linux

package toy

import (
	"io"
	"net"
)

// holdPort finds the port once; elsewhere than on Linux it is not kept while the door is shut.
func holdPort(addr string) (io.Closer, string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, "", err
	}
	return io.NopCloser(nil), l.Addr().String(), l.Close()
}
