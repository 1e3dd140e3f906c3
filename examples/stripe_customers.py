"""Keeps a table of customers in step with Stripe, whatever the order of events.

Wants a webhook channel of the provider `stripe` and a subscription `billing` of it. Stripe gives
events in no order, and a delivery may come twice: a row keeps the time of the event that wrote it,
and an older one changes nothing.
"""

from __future__ import annotations

import sqlite3

from headgate import Event, Headgate

TABLE = """
create table if not exists customer (
    id text primary key, email text, name text, is_deleted integer not null, written_at integer
)
"""
UPSERT = """
insert into customer values (:id, :email, :name, :is_deleted, :written_at)
on conflict (id) do update set
    email = :email, name = :name, is_deleted = :is_deleted, written_at = :written_at
where excluded.written_at >= customer.written_at
"""


def sync_customers(client: Headgate, database: sqlite3.Connection) -> None:
    """Registers the handler."""
    database.execute(TABLE)

    @client.on_event(types="webhook.received")
    async def sync(event: Event) -> None:
        webhook, name = event.webhook, event.provider_event or ""
        if webhook is None or name not in (
            "customer.created",
            "customer.updated",
            "customer.deleted",
        ):
            return
        customer = webhook.body["data"]["object"]
        row = {
            "id": customer["id"],
            "email": customer.get("email"),
            "name": customer.get("name"),
            "is_deleted": name == "customer.deleted",
            "written_at": webhook.body["created"],
        }
        with database:
            database.execute(UPSERT, row)


def main() -> None:
    """Runs until it is stopped."""
    client = Headgate(subscription="billing", concurrency=1)
    sync_customers(client, sqlite3.connect("customers.db"))
    client.run_sync()


if __name__ == "__main__":
    main()
