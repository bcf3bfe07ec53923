"""The text of one formula as a tree, and back: lexer, parser, nodes, rendering. Knows no workbook."""
