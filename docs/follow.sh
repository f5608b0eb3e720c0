#!/bin/sh
# Keeps a folder the same as a collection (at the top, or of one parent): follow.sh URL FOLDER [SECONDS]. Each resource
# is FOLDER/items/ID.json, where to go on FOLDER/bookmark. May be stopped anywhere. SECONDS to wait for news; 0: once.
set -eu
start=$1 folder=$2 wait=${3:-20} page=$2/.page
origin=$(printf %s "$start" | sed -E 's|^([a-z]+://[^/]+).*|\1|')
mkdir -p "$folder/items"
keep() { # the path to go on with, in one step: a bookmark is never half written
    jq -er "$1" "$page" > "$folder/.next" && mv "$folder/.next" "$folder/bookmark"
}
while :; do
    if path=$(cat "$folder/bookmark" 2>/dev/null); then url=$origin$path; else url=$start; fi
    case $url in
        *[?\&]wait=*) ;;
        */changes/*\?*) url="$url&wait=$wait" ;;
        */changes/*) url="$url?wait=$wait" ;;
    esac
    status=$(curl -sSL --compressed -o "$page" -w '%{http_code}' "$url") || status=none # none: broke off on its way
    if [ "$status" = 410 ]; then keep .resync; continue; fi
    if [ "$status" != 200 ]; then sleep 1; continue; fi
    if jq -e .replace "$page" > /dev/null; then rm -f "$folder"/items/*.json; fi
    jq -r '.items[] | select(.deleted) | .id' "$page" | while read -r id; do rm -f "$folder/items/$id.json"; done
    jq -c '.items[] | select(.deleted | not)' "$page" | while read -r item; do
        id=$(printf %s "$item" | jq -r .id)
        printf %s "$item" | jq -c '{etag, value}' > "$folder/.item" && mv "$folder/.item" "$folder/items/$id.json"
    done
    keep '.next // .resume'
    if jq -e '.next or (.items | length > 0)' "$page" > /dev/null; then continue; fi
    if [ "$wait" = 0 ]; then exit 0; else sleep 1; fi
done
