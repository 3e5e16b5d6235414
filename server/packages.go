package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

func marshalFirst(m Metadata) ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write metadata: %w", err)
	}
	return raw, nil
}

// metadataOf reads a kept dispatch's first part again.
func metadataOf(d storage.Dispatch) (Metadata, error) {
	var m Metadata
	if err := json.Unmarshal(d.FirstPart, &m); err != nil {
		return m, fmt.Errorf("read the metadata of %s: %w", d.ID, err)
	}
	return m, nil
}

// packageOf returns a delivery's edXML package: the packet as its sender made it, or one made of a native dispatch on
// first use. It is made once and kept: every reader gets the same bytes, also after an upgrade that writes packages
// differently.
func (s *Server) packageOf(ctx context.Context, dl storage.DeliveryID) (storage.Object, error) {
	kept, err := s.Store.Package(ctx, dl)
	if err != nil || kept.SHA256 != "" {
		return kept, err
	}
	id := dl.Dispatch
	d, err := s.Store.Dispatch(ctx, id)
	if err != nil {
		return storage.Object{}, err
	}
	m, err := metadataOf(d)
	if err != nil {
		return storage.Object{}, err
	}
	to, err := s.Store.Recipients(ctx, id)
	if err != nil {
		return storage.Object{}, err
	}
	doc := s.toPacket(d, m, to)
	return s.make(ctx, id, storage.PackageFile, func(w io.Writer) error {
		return edxml.Write(w, doc, func(i int) (io.ReadCloser, error) {
			return s.Store.OpenObject(ctx, d.Attachments[i].Object, 0, -1)
		})
	})
}

// make streams a derived file into the object store and records it; if another node was faster, its file counts.
func (s *Server) make(ctx context.Context, id uuid.UUID, what storage.Made, write func(io.Writer) error) (storage.Object, error) {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(write(writer)) }() // ends with Put, which reads to the end or closes the pipe
	defer func() { _ = reader.Close() }()
	sum := sha256.New()
	upload := storage.Upload{Key: storage.NewKey(s.Now())}
	kept, err := s.Store.Objects.Put(ctx, upload.Key, io.TeeReader(reader, sum), false)
	if err != nil {
		return storage.Object{}, fmt.Errorf("make the %s of %s: %w", what, id, err)
	}
	upload.Object = storage.Object{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: kept.Size}
	return s.Store.KeepMade(ctx, id, what, upload, s.Now())
}

// readable finds a delivery that the caller may read: the recipient's system, or the sender's. fetching is true for
// the recipient's. d has no bulk (storage.DispatchHead).
func (s *Server) readable(c echo.Context) (d storage.Dispatch, dl storage.Delivery, fetching bool, err error) {
	id, ok := storage.ParseDeliveryID(c.Param("id"))
	if !ok {
		return d, dl, false, problem("not_found", "id")
	}
	ctx := c.Request().Context()
	if dl, err = s.Store.Delivery(ctx, id); err != nil {
		return d, dl, false, err
	}
	if d, err = s.Store.DispatchHead(ctx, id.Dispatch); err != nil {
		return d, dl, false, err
	}
	if !s.servesEither(who(c), d, dl.Agency) {
		return d, dl, false, problem("not_found", "id")
	}
	fetching = s.serves(who(c), dl.Agency)
	if !fetching || s.serves(who(c), d.Sender) {
		return d, dl, fetching, nil
	}
	// From here on a recall has to ask the recipient; a document that was taken back or is held is not given out.
	return d, dl, true, s.Store.Fetched(ctx, id, s.Now())
}

// getPackage gives the edXML package, or with Accept: application/json the metadata.
func (s *Server) getPackage(c echo.Context) error {
	d, dl, _, err := s.readable(c)
	if err != nil {
		return err
	}
	if strings.Contains(c.Request().Header.Get("Accept"), "application/json") {
		if d, err = s.Store.Dispatch(c.Request().Context(), d.ID); err != nil {
			return err
		}
		return s.packageJSON(c, d, dl)
	}
	made, err := s.packageOf(c.Request().Context(), dl.DeliveryID)
	if err != nil {
		return err
	}
	return s.serveObject(c, made, "application/xml; charset=utf-8", d.ID.String()+".edxml")
}

func (s *Server) packageJSON(c echo.Context, d storage.Dispatch, dl storage.Delivery) error {
	type attachment struct {
		fileView
		URL string `json:"url"`
	}
	view := viewDispatch(d, 1)
	files := make([]attachment, len(view.Files))
	for i, f := range view.Files {
		files[i] = attachment{f, fmt.Sprintf("/api/v1/deliveries/%s/attachments/%d", dl.DeliveryID, f.N)}
	}
	return c.JSON(http.StatusOK, struct {
		Delivery    string          `json:"delivery"`
		AddressedTo string          `json:"addressed_to"`
		Agency      routing.Code    `json:"agency"`
		State       storage.State   `json:"state"`
		Dispatch    string          `json:"dispatch"`
		SenderName  string          `json:"sender_name"`
		Metadata    json.RawMessage `json:"metadata"`
		Verdict     any             `json:"verdict"`
		AcceptedAt  any             `json:"accepted_at"`
		Attachments []attachment    `json:"attachments"`
	}{dl.DeliveryID.String(), dl.AddressedTo, dl.Agency, dl.State, view.ID, s.agencyName(d.Sender), d.FirstPart, view.Verdict, view.AcceptedAt, files})
}

// getAttachment gives one file's bytes.
func (s *Server) getAttachment(c echo.Context) error {
	d, _, _, err := s.readable(c)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(c.Param("n"))
	if err != nil || n < 1 || n > len(d.Attachments) {
		return problem("not_found", "n")
	}
	a := d.Attachments[n-1]
	return s.serveObject(c, a.Object, a.MediaType, a.Name)
}

// serveObject streams an object with its hash as a strong ETag and byte ranges (RFC 9110, 14). A stranger's bytes are
// never shown in place: nosniff, attachment, sandbox.
func (s *Server) serveObject(c echo.Context, o storage.Object, media, name string) error {
	h := c.Response().Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("ETag", `"`+o.SHA256+`"`)
	h.Set("Cache-Control", "private, immutable, max-age=86400")
	ctx := c.Request().Context()
	body := &objectReader{ctx: ctx, store: s.Store, object: o}
	defer body.close()
	if strings.Contains(c.Request().Header.Get("Range"), ",") {
		// Several ranges at once may be answered with the whole (RFC 9110, 14.2). ServeContent reads them in a goroutine
		// that can outlive this call when the client goes away, and body must not be used then.
		c.Request().Header.Del("Range")
	}
	if c.Request().Method != http.MethodHead {
		if err := body.open(); err != nil { // while the answer can still be a problem
			return err
		}
	}
	out := &rangeWriter{ResponseWriter: c.Response()}
	http.ServeContent(out, c.Request(), "", time.Time{}, body)
	if out.unsatisfiable {
		for _, name := range []string{"Content-Disposition", "Content-Security-Policy", "Cache-Control", "ETag"} {
			h.Del(name)
		}
		return problem("range", "Range")
	}
	if body.failed != nil {
		s.Log.Error("object not served to its end", "sha256", o.SHA256, "err", body.failed)
		if !c.Response().Committed {
			return body.failed
		}
		// The headers are out: cutting the connection is the only way to say that this is not the whole file.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// rangeWriter keeps net/http's plain text about a bad range back, so that the answer is a problem as all others are.
type rangeWriter struct {
	http.ResponseWriter
	unsatisfiable bool
}

// WriteHeader holds a 416 back.
func (w *rangeWriter) WriteHeader(status int) {
	if w.unsatisfiable = status == http.StatusRequestedRangeNotSatisfiable; !w.unsatisfiable {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write drops the text that goes with it.
func (w *rangeWriter) Write(b []byte) (int, error) {
	if w.unsatisfiable {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
