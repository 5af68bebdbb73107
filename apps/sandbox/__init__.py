"""A local stand-in for Meta: Graph API, webhook sender and a phone to chat on. It speaks HTTP only."""
