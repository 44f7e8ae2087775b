"""Writes into a database over a connection that is opened once, outside of the handler."""
import os

import psycopg2

connection = psycopg2.connect(os.environ["DATABASE"])
connection.autocommit = True


def handler(event, context):
    with connection.cursor() as cursor:
        cursor.execute("insert into visits (who) values (%s) returning id, pg_backend_pid()", (event["who"],))
        return cursor.fetchone()
