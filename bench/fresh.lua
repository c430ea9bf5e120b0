-- For wrk: orders of pictures, each of another content.
--     wrk -s fresh.lua URL RUN SIZE    RUN is eight characters, of which each run has its own

local form
local number = 0

function init(args)
  local address = "https://example.com/" .. args[1]:sub(1, 3) .. "/" .. args[1]:sub(4) .. "?i=%06d"
  form = '{"content": {"type": "url", "url": "' .. address .. '"}, "size": ' .. args[2] .. "}"
end

function request()
  number = number + 1
  return wrk.format("POST", nil, nil, string.format(form, number))
end
