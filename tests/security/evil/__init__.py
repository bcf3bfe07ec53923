"""Hostile files, made when they are needed, and a child process that meets them under watch."""
