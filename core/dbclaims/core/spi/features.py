"""What a plugin can do, declared once and used three times: by the core, by the webhook, by the conformance suite."""

from __future__ import annotations

import enum


class Feature(enum.StrEnum):
    """One ability. A claim that needs an undeclared one is refused before the plugin is called."""

    # Providers
    CREATE = "Create"
    """Makes servers; without it the provider only reaches servers that exist."""
    VERSION = "Version"
    """Moves a server to another major version."""
    RESIZE = "Resize"
    """Changes `size` of a living server."""
    STORAGE = "Storage"
    """Takes `storageGiB`."""
    HIGH_AVAILABILITY = "HighAvailability"
    """Takes `highAvailability`."""
    PARAMETERS = "Parameters"
    """Takes `parameters`, the engine's settings."""
    MAINTENANCE_WINDOW = "MaintenanceWindow"
    """Takes `maintenanceWindow`."""
    BACKUP = "Backup"
    """Takes `backup`."""
    TAGS = "Tags"
    """Takes `tags`."""
    SNAPSHOT = "Snapshot"
    """Can keep a snapshot when it deletes a server."""

    # Engines
    SCHEMAS = "Schemas"
    """A database holds schemas of its own."""
    EXTENSIONS = "Extensions"
    """A database can be given extensions."""
    ROLES = "Roles"
    """Further logins by preset (reader, writer, owner)."""
    CONNECTION_LIMIT = "ConnectionLimit"
    """A login's connections can be limited."""
    ADOPTION = "Adoption"
    """An existing database can be taken over."""
