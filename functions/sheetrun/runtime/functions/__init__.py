"""runtime/functions"""
