package toy

import (
	"io"
	"net"
	"syscall"
)

// holdPort binds addr without listening: a connection is refused, yet nobody else gets the port, and we can listen on
// it as often as we like (SO_REUSEADDR, which Go sets on its listeners too). It gives the address with its real port.
func holdPort(addr string) (io.Closer, string, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, "", err
	}
	domain, sockaddr := bindTo(a)
	fd, err := syscall.Socket(domain, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, "", err
	}
	h := held(fd)
	if err := h.bind(sockaddr); err != nil {
		h.Close()
		return nil, "", &net.OpError{Op: "bind", Net: "tcp", Addr: a, Err: err}
	}
	if a.Port, err = h.port(); err != nil {
		h.Close()
		return nil, "", err
	}
	return h, a.String(), nil
}

func bindTo(a *net.TCPAddr) (int, syscall.Sockaddr) {
	if ip4 := a.IP.To4(); ip4 != nil {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip4)}
	}
	s := &syscall.SockaddrInet6{Port: a.Port}
	copy(s.Addr[:], a.IP.To16()) // no address at all: every one
	return syscall.AF_INET6, s
}

// held is a bound socket.
type held int

func (h held) bind(s syscall.Sockaddr) error {
	if err := syscall.SetsockoptInt(int(h), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return syscall.Bind(int(h), s)
}

func (h held) port() (int, error) {
	s, err := syscall.Getsockname(int(h))
	if err != nil {
		return 0, err
	}
	if s4, ok := s.(*syscall.SockaddrInet4); ok {
		return s4.Port, nil
	}
	return s.(*syscall.SockaddrInet6).Port, nil
}

// Close gives the port back.
func (h held) Close() error { return syscall.Close(int(h)) }
