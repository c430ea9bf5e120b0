-- For wrk: requests for one of n links, the one of rank r with a probability of about 1 / r.
--     wrk -s zipf.lua URL n            URL ends in a letter, which the link's number follows in seven digits

local requests = {}
local at = 0

function init(args)
  local n = tonumber(args[1])
  math.randomseed(7)
  for i = 0, 65535 do
    local rank = math.floor(math.exp(math.random() * math.log(n + 1)))
    requests[i] = wrk.format("GET", wrk.path .. string.format("%07d", math.min(rank, n)))
  end
end

function request()
  at = (at + 1) % 65536
  return requests[at]
end
