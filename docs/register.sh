#!/bin/sh
# Registers a reader by the demo's flow: register.sh BASE. Each answer carries the state that the next step is sent with;
# nothing else is remembered, here or there. The scan is a draft, which the last step makes lasting. The last step is sent
# twice, as after a lost answer: one registration.
set -eu
base=$1
origin=$(printf %s "$base" | sed -E 's|^([a-z]+://[^/]+).*|\1|')
answer() { # sends what is answered at $step
    printf %s "$step" | jq -c --argjson input "$1" '{state, input: $input}' |
        curl -sS -H 'Content-Type: application/json' --data-binary @- "$origin$(printf %s "$step" | jq -r .submit)"
}
step=$(curl -sS "$base/-/flows/registration")
step=$(answer '{"name": "Ada Lovelace", "email": "ada@example.org"}')
step=$(answer '{"street": "St James'\''s Square 12", "city": "London", "country": "elsewhere"}')
# A file is put there first, as a draft: its URL is the answer, its content is in no state.
png='iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
scan=$(printf '{"name": "passport.png", "mediaType": "image/png", "size": 70, "content": "%s", "draft": true}' "$png" |
    curl -sS -o /dev/null -D - -H 'Content-Type: application/json' --data-binary @- "$base/documents" |
    tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
step=$(answer '{"kind": "passport", "number": "P-1815", "scan": {"href": "'"$scan"'"}}')
step=$(answer '{"rules": true, "newsletter": false}')
answer '{}' && echo
answer '{}' && echo
