"""Why a program printed a message."""
