-- +goose Up

-- system.form: in which form of code a system is shown agencies over the VXP face: the new one (QĐ 20/2020/QĐ-TTg) or the
-- old one (QCVN 102:2016/BTTTT). What it sends is understood in either.
ALTER TABLE system ADD COLUMN form text NOT NULL DEFAULT 'new' CHECK (form IN ('new', 'old'));

-- agency: contact data, which hubs give with registerAgency and read back over VXP; and when its row last moved. They are
-- personal data: in no public export. They may be null, for an older binary's import stages its rows in a table LIKE agency.
ALTER TABLE agency ADD COLUMN mail        text        DEFAULT '';
ALTER TABLE agency ADD COLUMN phone       text        DEFAULT '';
ALTER TABLE agency ADD COLUMN fax         text        DEFAULT '';
ALTER TABLE agency ADD COLUMN modified_at timestamptz DEFAULT now();

-- delivery.withdrawn: the recipient agreed (15) that its sender takes the document back, or puts a new version in its
-- place: from then on its payload is no longer given out, and its trail stays (R20). withdrawn_by is the recall's or the
-- update's own dispatch; null when a status 13 asked for it.
ALTER TABLE delivery ADD COLUMN withdrawn    text NOT NULL DEFAULT '' CHECK (withdrawn IN ('', 'recalled', 'updated'));
ALTER TABLE delivery ADD COLUMN withdrawn_by uuid;

-- receipt.packet: the exact bytes of the status packet that brought it, handed on unchanged; null for the native face's.
ALTER TABLE receipt ADD COLUMN packet bytea;

-- stray: status packets that fit no delivery (R32). The operators' list; nothing of them is lost.
CREATE TABLE stray (
    id            uuid        PRIMARY KEY,
    system_id     text        NOT NULL,
    agency        text        NOT NULL,
    other         text        NOT NULL,
    document_id   text        NOT NULL,
    status        text        NOT NULL,
    reason        text        NOT NULL,
    cause         text        NOT NULL CHECK (cause IN ('no_document', 'no_delivery', 'state', 'not_asked')),
    event_time    timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    packet        bytea       NOT NULL,
    packet_sha256 bytea       NOT NULL CHECK (length(packet_sha256) = 32),
    closed_at     timestamptz,
    closed_by     text,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL)),
    UNIQUE (system_id, packet_sha256)
);
-- for the operators' list of those that nobody has looked at, newest first
CREATE INDEX stray_open ON stray (id) WHERE closed_at IS NULL;

-- supplement: recipients from number first_n on were added later (gửi bổ sung), by a packet of its own: they get its
-- bytes, in whose To they stand. Rare, so in one table for all months.
CREATE TABLE supplement (
    dispatch_id    uuid    NOT NULL,
    first_n        integer NOT NULL CHECK (first_n > 1),
    package_sha256 text    NOT NULL,
    package_size   bigint  NOT NULL,
    PRIMARY KEY (dispatch_id, first_n)
);

DROP INDEX queue_inbox;
-- for the two queues of the VXP face (documents, statuses) and the native inbox, which is their merge: of one destination
-- and kind, urgent first, oldest first
CREATE INDEX queue_inbox ON queue (destination, kind, urgency DESC, entered, dispatch_id, n);

-- for "does another agency own the document that this recalls?" (R25)
CREATE INDEX identity_by_document ON identity (document_id) WHERE kind = 0;
-- for "what recalls, updates or replaces this document?"
CREATE INDEX dispatch_by_original ON dispatch (original) WHERE original IS NOT NULL;
-- for "nghi trùng": the same number and notation of one agency (R37); cut, for a packet's may be longer than an index takes
CREATE INDEX dispatch_by_number ON dispatch (sender, left(number, 30), left(notation, 60));

-- The shown status is the latest event's now, of those of one moment the further step's (R27); until now a further step was
-- shown whenever it was said. What differs is shown anew.
UPDATE delivery AS d SET status = last.status, status_at = last.event_time
  FROM (SELECT DISTINCT ON (dispatch_id, n) dispatch_id, n, status, event_time FROM receipt
         ORDER BY dispatch_id, n, event_time DESC, array_position('{01,03,02,04,05,06,13,16,15}', status) DESC) AS last
 WHERE d.dispatch_id = last.dispatch_id AND d.n = last.n AND (d.status <> last.status OR d.status_at IS DISTINCT FROM last.event_time);
