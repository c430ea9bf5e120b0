"""From a text and a design to a picture. The only room that knows fastcore."""
