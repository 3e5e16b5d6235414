package edxml

import (
	"errors"
	"io"
)

// Write writes a document packet. open gives the i-th attachment's bytes; it is called once for each, in order.
// The same input gives the same bytes. After an error w holds a torn packet: throw it away.
func Write(w io.Writer, d Document, open func(i int) (io.ReadCloser, error)) error {
	return errors.ErrUnsupported
}

// WriteStatus writes a status packet.
func WriteStatus(w io.Writer, s Status) error { return errors.ErrUnsupported }
