# A shared cache in front of Milepost: Varnish 7. docs/caches.md explains it.
#
# Start it with `-p http_gzip_support=off`: the server compresses, and names what it compressed by a tag of its own;
# a cache that takes the compression off makes that tag weak, and no write can be conditional on a weak one.
# To be adapted: the server's address, and `/v1` where the server has another base.
vcl 4.1;

backend milepost {
    .host = "127.0.0.1";
    .port = "7070";
    .connect_timeout = 5s;
    # Longer than any request is held by `wait`, and than an event stream is silent.
    .first_byte_timeout = 75s;
    .between_bytes_timeout = 75s;
}

sub vcl_recv {
    # What is for one client only goes to the server and back as it is.
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    if (req.http.Accept ~ "(?i)text/event-stream") {
        return (pipe);
    }
    if (req.http.Authorization || req.http.If-Match || req.http.If-Unmodified-Since) {
        return (pass);
    }
    if (req.http.Prefer && req.http.Prefer !~ "(?i)^\s*wait\s*=\s*[0-9]+\s*$") {
        return (pass);
    }
    if (req.url ~ "^/v1/(-/|health$)" && req.url !~ "^/v1/-/(changes|snapshots)(/|\?|$)") {
        return (pass);
    }
    # The server reads no cookie, and sends no ranges.
    unset req.http.Cookie;
    unset req.http.Range;

    # What decides which of a URL's answers is sent (Vary: Accept, Accept-Encoding, Prefer) is brought to few values.
    if (!req.http.Accept) {
        set req.http.Accept = "application/json";
    } elsif (req.http.Accept !~ "(?i)text/html|;\s*q=0(\.0*)?\s*(,|$)" &&
        req.http.Accept ~ "(?i)(^|,)\s*(application/(json|\*)|\*/\*)\s*(;\s*q=[0-9.]+\s*)?(,|$)") {
        set req.http.Accept = "application/json";
    }
    if (req.http.Accept-Encoding ~ "(?i)(^|,)\s*gzip\s*(,|;|$)" &&
        req.http.Accept-Encoding !~ "(?i)(^|,)\s*gzip\s*;\s*q=0(\.0*)?\s*(,|$)") {
        set req.http.Accept-Encoding = "gzip";
    } else {
        unset req.http.Accept-Encoding;
    }
    if (req.http.Prefer) {
        set req.http.Prefer = regsub(req.http.Prefer, "(?i)^\s*wait\s*=\s*([0-9]+)\s*$", "wait=\1");
    }

    # A client that doubts what it was told asks past caches.
    if (req.http.Cache-Control ~ "(?i)no-cache") {
        set req.hash_always_miss = true;
    }
    return (hash);
}

# Who asks for one of a URL's answers doesn't wait for who asks for another.
sub vcl_hash {
    hash_data(req.http.Accept);
    hash_data(req.http.Accept-Encoding);
    hash_data(req.http.Prefer);
}

sub vcl_backend_response {
    # Stale answers only for as long as the server's stale-while-revalidate says; a default would go beyond that.
    if (beresp.http.Cache-Control !~ "(?i)stale-while-revalidate") {
        set beresp.grace = 0s;
    }
    # What failed on the way to a newer page leaves the one that is there; what failed at all is forgotten at once.
    if (beresp.status >= 500) {
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        set beresp.ttl = 1s;
        set beresp.grace = 0s;
        set beresp.uncacheable = true;
        return (deliver);
    }
}

# The server can't be reached: as its own 503 says it.
sub vcl_backend_error {
    set beresp.http.Content-Type = "application/problem+json";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "1";
    set beresp.body = {"{"type":"about:blank","title":"The service cannot be reached","status":503}"};
    return (deliver);
}
