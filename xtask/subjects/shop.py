"""A small shop that remembers what was looked at last, in a session.

Who keeps the session is the one thing that differs: flask itself (a signed cookie) or flask-session
(a store on disk, in the folder that is named last).

    python shop.py flask 8080
    python shop.py flask-session 8080 FOLDER
"""

import sys

import waitress
from flask import Flask, abort, jsonify, session

BOOKS = ["emma", "solaris", "ulysses"]

app = Flask(__name__)
app.secret_key = "only for the audit"


@app.after_request
def unstored(response):
    response.headers["cache-control"] = "no-store"
    return response


@app.get("/")
def start():
    return jsonify(books={"href": "/books"}, recent={"href": "/recent"})


@app.get("/books")
def books():
    return jsonify(items=[{"href": f"/books/{book}"} for book in BOOKS])


@app.get("/books/<book>")
def one(book):
    if book not in BOOKS:
        abort(404)
    session["last"] = book
    return jsonify(id=book)


@app.get("/recent")
def recent():
    return jsonify(last=session.get("last"))


if __name__ == "__main__":
    library, port, *folder = sys.argv[1:]
    if library == "flask-session":
        from cachelib import FileSystemCache
        from flask_session import Session

        app.config["SESSION_TYPE"] = "cachelib"
        app.config["SESSION_CACHELIB"] = FileSystemCache(folder[0], threshold=0)
        Session(app)
    waitress.serve(app, host="127.0.0.1", port=int(port), _quiet=True)
