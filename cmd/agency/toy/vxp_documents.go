package toy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The two queues of the VXP face.
const (
	EdocQueue   = "edoc"   // documents
	StatusQueue = "status" // what recipients say of them
)

// The transport statuses of a packet.
const (
	PacketInitial    = "initial" // waits
	PacketProcessing = "processing"
	PacketDone       = "done"
	PacketFail       = "fail"
)

// filePath is where a client says that it keeps its packets: its own affair.
const filePath = "/var/lib/qlvb/edoc/"

// Edoc is a packet to send.
type Edoc struct {
	From  string   // code of the agency that sends: one of the system's own
	Queue string   // EdocQueue or StatusQueue
	To    []string // only sent with Dialect.To; the packet says it anyhow
	Bytes []byte   // the edXML packet
}

// Knobstick is what waits for this system, or did.
type Knobstick struct {
	DocID, ServiceType, MessageType, CreatedTime, UpdatedTime, From, To, Status, StatusDesc string
}

// SentEdoc is where a packet of ours stands at one of its recipients.
type SentEdoc struct {
	ServiceType       string `json:"serviceType"`
	SenderDocID       string `json:"senderDocId"`
	ReceiverDocID     string `json:"receiverDocId"`
	FromCode          string `json:"fromCode"`
	ToCode            string `json:"toCode"`
	Title             string `json:"title"`
	Notation          string `json:"notation"`
	MessageType       string `json:"messageType"`
	SentTime          string `json:"sentTime"`
	ReceivedTime      string `json:"receivedTime"`
	SendStatus        string `json:"sendStatus"`
	SendStatusDesc    string `json:"sendStatusDesc"`
	ReceiveStatus     string `json:"receiveStatus"`
	ReceiveStatusDesc string `json:"receiveStatusDesc"`
}

func (v *VXP) serviceType() field {
	if v.Dialect.LowerCase {
		return field{"servicetype", "edoc"}
	}
	return field{"servicetype", "eDoc"}
}

// SendEdoc sends a packet and gives the axis's id of it. Sent again it is byte for byte the same.
func (v *VXP) SendEdoc(ctx context.Context, e Edoc) (docID string, err error) {
	file := e.Bytes
	if v.Dialect.Base64 {
		file = []byte(base64.StdEncoding.EncodeToString(file))
	}
	k := vxpCall{service: &v.documents, path: "/sendEdoc", media: "application/octet-stream", upload: true,
		fields: []field{v.serviceType(), {"messagetype", e.Queue}, {"from", e.From}, {"hash-file", vxpFileHash(file, v.Dialect.Padded)}},
		body:   append(bytes.Clone(file), "\r\n"...)}
	if v.Dialect.To {
		to, err := json.Marshal(e.To)
		if err != nil {
			return "", &LocalError{Name: k.path, Err: err}
		}
		k.fields = append(k.fields, field{"to", string(to)})
	}
	res, b, err := v.do(ctx, k)
	if err != nil {
		return "", err
	}
	if err := ascii(b); err != nil {
		return "", err
	}
	o, err := readVXP(res, b, "DocId")
	if err != nil {
		return "", err
	}
	if docID, err = o.text("DocId"); err == nil && docID == "" {
		err = fmt.Errorf("%w: an empty DocId with ErrorCode 0", ErrUnreadable)
	}
	return docID, err
}

// vxpFileHash is the SHA-256 of a file, each byte in hex: padded, or as Java's toHexString gives it, 7 for 0x07.
func vxpFileHash(file []byte, padded bool) string {
	sum := sha256.Sum256(file)
	if padded {
		return hex.EncodeToString(sum[:])
	}
	var b strings.Builder
	for _, c := range sum {
		fmt.Fprintf(&b, "%x", c)
	}
	return b.String()
}

// GetReceivedEdocList lists what waits in a queue for all agencies of this system. Zero times do not narrow it.
func (v *VXP) GetReceivedEdocList(ctx context.Context, queue string, from, to time.Time) ([]Knobstick, error) {
	k := vxpCall{service: &v.documents, path: "/getReceivedEdocList", fields: []field{v.serviceType(), {"messagetype", queue}}}
	for _, day := range []struct {
		key string
		at  time.Time
	}{{"fromDate", from}, {"toDate", to}} {
		if !day.at.IsZero() {
			k.fields = append(k.fields, field{day.key, day.at.In(vietnam).Format("02/01/2006 15:04:05")})
		}
	}
	rows, err := v.list(ctx, k)
	out := make([]Knobstick, len(rows))
	for i, o := range rows {
		n := &out[i]
		if err := o.texts(map[string]*string{"docId": &n.DocID, "serviceType": &n.ServiceType, "messageType": &n.MessageType,
			"created_time": &n.CreatedTime, "updated_time": &n.UpdatedTime, "from": &n.From, "to": &n.To, "status": &n.Status,
			"status_desc": &n.StatusDesc}); err != nil {
			return nil, err
		}
	}
	return out, err
}

// GetSentEdocList says where a packet stands that SendEdoc gave this id, one row for each recipient.
func (v *VXP) GetSentEdocList(ctx context.Context, queue, docID string) ([]SentEdoc, error) {
	rows, err := v.list(ctx, vxpCall{service: &v.documents, path: "/getSentEdocList",
		fields: []field{v.serviceType(), {"messagetype", queue}, {"docId", docID}}})
	out := make([]SentEdoc, len(rows))
	for i, o := range rows {
		s := &out[i]
		if err := o.texts(map[string]*string{"serviceType": &s.ServiceType, "senderDocId": &s.SenderDocID, "receiverDocId": &s.ReceiverDocID,
			"fromCode": &s.FromCode, "toCode": &s.ToCode, "title": &s.Title, "notation": &s.Notation, "messageType": &s.MessageType,
			"sentTime": &s.SentTime, "receivedTime": &s.ReceivedTime, "sendStatus": &s.SendStatus, "sendStatusDesc": &s.SendStatusDesc,
			"receiveStatus": &s.ReceiveStatus, "receiveStatusDesc": &s.ReceiveStatusDesc}); err != nil {
			return nil, err
		}
	}
	return out, err
}

// GetEdoc gives a packet's bytes. It goes on waiting until UpdateStatus says done.
func (v *VXP) GetEdoc(ctx context.Context, docID string) ([]byte, error) {
	res, b, err := v.do(ctx, vxpCall{service: &v.documents, path: "/getEdoc", body: []byte("{}"), expect: true,
		fields: []field{{"docId", docID}, {"filePath", filePath}}})
	if err != nil {
		return nil, err
	}
	o, err := readVXP(res, b, "data") // SDK 2.0.0 reads data of a FAIL too
	if err != nil {
		return nil, err
	}
	text, err := o.text("data")
	if err == nil && (text == "" || strings.ContainsAny(text, "\r\n")) {
		err = fmt.Errorf("%w: data of getEdoc is empty, or has line breaks", ErrUnreadable)
	}
	if err != nil {
		return nil, err
	}
	packet, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: data of getEdoc: %v", ErrUnreadable, err)
	}
	return packet, nil
}

// DownloadEdoc gives a packet's bytes as they are. Only an empty answer says that there is none: whatever else comes is
// taken for the packet, whatever its HTTP status.
func (v *VXP) DownloadEdoc(ctx context.Context, docID string) ([]byte, error) {
	res, b, err := v.do(ctx, vxpCall{service: &v.documents, method: http.MethodGet, path: "/downloadEdoc",
		fields: []field{{"docId", docID}, {"filePath", filePath}}})
	if err == nil && len(b) == 0 {
		err = &Problem{Status: res.StatusCode, Code: "vxp_100", VI: "downloadEdoc không có gì", EN: "downloadEdoc got nothing"}
	}
	return b, err
}

// UpdateStatus says what became of a packet at this system: PacketDone, PacketFail or PacketProcessing. The description
// should be ASCII: the SDK cannot send Vietnamese in a header.
func (v *VXP) UpdateStatus(ctx context.Context, docID, status, description string) error {
	key := "docId"
	if v.Dialect.DocID {
		key = "docid"
	}
	k := vxpCall{service: &v.documents, path: "/updateStatus", body: []byte("{}"), fields: []field{{"status", status}, {key, docID}}}
	if description != "" {
		k.fields = append(k.fields, field{"description", description})
	}
	_, err := v.ask(ctx, k)
	return err
}

// CountReceiveEdoc counts the documents that wait.
func (v *VXP) CountReceiveEdoc(ctx context.Context) (int, error) {
	return v.count(ctx, vxpCall{service: &v.documents, path: "/countReceiveEdoc", body: []byte("{}"),
		fields: []field{v.serviceType(), {"messagetype", EdocQueue}}})
}

// CountReceiveStatus counts the status packets that wait.
func (v *VXP) CountReceiveStatus(ctx context.Context) (int, error) {
	return v.count(ctx, vxpCall{service: &v.documents, path: "/countReceiveStatus", body: []byte("{}")})
}

func (v *VXP) count(ctx context.Context, k vxpCall) (int, error) {
	o, err := v.ask(ctx, k)
	if err != nil {
		return 0, err
	}
	if _, ok := o["count"]; !ok {
		return 0, fmt.Errorf("%w: no count with ErrorCode 0", ErrUnreadable)
	}
	return o.number("count")
}

// ask makes a call whose answer is JSON.
func (v *VXP) ask(ctx context.Context, k vxpCall) (vxpObject, error) {
	res, b, err := v.do(ctx, k)
	if err != nil {
		return nil, err
	}
	return readVXP(res, b)
}

func (v *VXP) list(ctx context.Context, k vxpCall) ([]vxpObject, error) {
	o, err := v.ask(ctx, k)
	if err != nil {
		return nil, err
	}
	return o.list()
}
