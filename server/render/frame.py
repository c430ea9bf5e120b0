def surround(frame, size_px, ground):
    raise NotImplementedError
